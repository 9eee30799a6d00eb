import { describe, expect, test } from "vitest";
import { readHosts } from "../../ts/distributed/discovery/providers/hosts-file/host-terms.ts";

describe("a file of hosts as Erlang has it", () => {
  test.each([
    [
      "'super.eua.example.se'.\n'renat.eua.example.se'.\n",
      ["super.eua.example.se", "renat.eua.example.se"],
    ],
    ["host.\nother_host@x1.", ["host", "other_host@x1"]],
    ["% ours\n'10.0.0.7'. % first\n\n  'fd00::7' . 'b'.\r\n", ["10.0.0.7", "fd00::7", "b"]],
    ["'a'.\n'a'.\n''.\n", ["a"]],
    ["'it\\'s'.", ["it's"]],
    ["", []],
    [" \n% nobody\n", []],
  ])("%j", (text, hosts) => {
    expect(readHosts(text)).toEqual(hosts);
  });

  test.each([
    ["'a'.\n\n{b, 'c'}.\n", 3],
    ["'a'\n'b'.\n", 1],
    ["'a'.'b'.", 1],
    ['"a".', 1],
    ["Host.", 1],
    ["'a'.\n'b", 2],
    ["'a\nb'.", 1],
  ])("%j is refused with its line", (text, line) => {
    const message = expect.stringContaining(`line ${line} of the hosts file`) as string;
    expect(() => readHosts(text)).toThrow(
      expect.objectContaining({ code: "discovery_failed", message }) as Error,
    );
  });

  test("a long file is read in one go, whatever is in it", () => {
    const hosts = Array.from({ length: 50_000 }, (_, at) => `h${at}`);
    expect(readHosts(hosts.map((host) => `'${host}'.`).join("\n"))).toEqual(hosts);
    expect(() => readHosts(`${" ".repeat(1e6)}'${"\\".repeat(1e6)}`)).toThrow(/line 1/);
  });
});
