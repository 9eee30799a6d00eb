import { afterAll, describe, expect, test } from "vitest";
import { Foundation } from "../../dist/ts/index.js";
import { Directory } from "../../dist/ts/kernel/directory.js";

// The core gives out the numbers of names, so there is a node; its own isolate has the number 0.
const node = await Foundation.start({ name: "home" });
const ISOLATE = 0;
afterAll(async () => node.leave());

const directory = (): Directory => new Directory(ISOLATE, ["default", "control", "bulk"], () => {});

describe("channels", () => {
  test("are numbered as they were declared; no name is the default", () => {
    const channels = directory();
    expect(channels.channelId(undefined)).toBe(0);
    expect(["default", "control", "bulk"].map((name) => channels.channelId(name))).toEqual([
      0, 1, 2,
    ]);
  });

  test("that were not declared are refused with the nearest one", () => {
    const unknown = (message: string): unknown =>
      expect.objectContaining({ code: "unknown_channel", message });
    expect(() => directory().channelId("contrl")).toThrow(
      unknown("this node declared no channel 'contrl'; did you mean 'control'?"),
    );
    expect(() => directory().channelId("qqqqqqqq")).toThrow(
      unknown("this node declared no channel 'qqqqqqqq'"),
    );
    expect(() => directory().channelId("__proto__")).toThrow(/no channel '__proto__'/);
  });

  test("of peers can be received by name, and not be sent on", () => {
    const channels = directory();
    channels.setChannels(["default", "control", "bulk", "theirs"]);
    expect(channels.channelName(3)).toBe("theirs");
    expect(channels.channelName(9)).toBe("channel 9");
    expect(channels.isDeclared(2)).toBe(true);
    expect(channels.isDeclared(3)).toBe(false);
    expect(() => channels.channelId("theirs")).toThrow(/no channel 'theirs'/);
  });
});

describe("names", () => {
  test("have one number in a node, whoever asks", () => {
    const [first, second] = [directory(), directory()];
    const id = first.nameId("a name");
    expect(first.nameId("a name")).toBe(id);
    expect(second.nameId("a name")).toBe(id);
    expect(first.nameId("another name")).not.toBe(id);
    expect(first.nameId("__proto__")).not.toBe(first.nameId("constructor"));
  });

  test("have 1 to 255 bytes", () => {
    const refused = expect.objectContaining({ code: "name_refused" });
    expect(() => directory().nameId("")).toThrow(refused);
    expect(() => directory().nameId("é".repeat(128))).toThrow(refused);
    expect(directory().nameId("é".repeat(127))).toBeTypeOf("number");
  });

  test("have an owner until it is withdrawn", () => {
    const names = directory();
    expect(names.owner(7)).toBeUndefined();
    names.setOwner(7, { slot: 2, generation: 5 });
    expect(names.owner(7)).toEqual({ slot: 2, generation: 5 });
    names.setOwner(7, undefined);
    expect(names.owner(7)).toBeUndefined();
  });
});
