import { describe, expect, test } from "vitest";
import { backOff } from "../../ts/distributed/discovery/rules/back-off.ts";
import { isForgotten } from "../../ts/distributed/discovery/rules/pruning.ts";
import { CANDIDATES_MAX, screen } from "../../ts/distributed/discovery/rules/screening.ts";

const SELF = { address: "10.0.0.1:7000" };

function screened(...addresses: unknown[]): ReturnType<typeof screen> {
  return screen({ candidates: addresses.map((address) => ({ address: address as string })) }, SELF);
}

describe("screening", () => {
  test("leaves out this node, doubles, and what no other node can be reached by", () => {
    const good = ["10.0.0.2:7000", "[fd00::7]:7000", "127.0.0.1:7000"];
    const places = ["169.254.169.254:80", "[fe80::1]:7000", "0.0.0.0:7000", "[::]:7000"];
    const more = ["224.0.0.1:7000", "255.255.255.255:7000", "[ff02::1]:7000", "[fd00:ec2::254]:80"];
    const { candidates, dropped } = screened(...good, ...good, SELF.address, ...places, ...more);
    expect(candidates.map(({ address }) => address)).toEqual(good);
    expect(dropped).toEqual({ duplicate: 3, ownAddress: 1, unreachableAddress: 8 });
  });

  test("knows one address however it is written", () => {
    const { candidates, dropped } = screened("[fd00:0:0::7]:7000", "[FD00::7]:7000");
    expect(candidates).toEqual([{ address: "[fd00::7]:7000" }]);
    expect(dropped).toEqual({ duplicate: 1 });
  });

  test("counts what is no address, whatever it is", () => {
    const odd = [
      "",
      "host:7000",
      "10.0.0.2",
      "10.0.0.2:0",
      "10.0.0.2:70000",
      "1.2.3.4.5:6",
      7,
      null,
    ];
    const worse = ["10.0.0.2:7000\n", "\u0000", "[::1", "[1.2.3]:4", "999.1.1.1:7000", {}, ["a"]];
    expect(screened(...odd, ...worse)).toEqual({
      candidates: [],
      dropped: { badAddress: odd.length + worse.length },
    });
  });

  test("looks at 1,024 of them", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `10.1.${at >> 8}.${at & 255}:7000`);
    const { candidates, dropped } = screened(...many);
    expect(candidates).toHaveLength(CANDIDATES_MAX);
    expect(dropped).toEqual({ aboveLimit: 10_000 - CANDIDATES_MAX });
  });

  test("drops names that are none, and keeps the address", () => {
    const address = "10.0.0.2:7000";
    const names = ["", "n".repeat(256), 7, undefined] as string[];
    for (const name of names) {
      expect(screen({ candidates: [{ address, name }] }, SELF).candidates).toEqual([{ address }]);
    }
  });
});

test("pauses lie in the upper half of 1 s doubled up to 60 s", () => {
  expect([1, 2, 3, 7, 8, 1_000].map((failures) => backOff(failures, 0))).toEqual([
    1_000, 1_000, 2_000, 30_000, 30_000, 30_000,
  ]);
  expect([1, 2, 3, 7, 8].map((failures) => backOff(failures, 0.999_999))).toEqual(
    [1_000, 2_000, 4_000, 60_000, 60_000].map((ms) => expect.closeTo(ms, 0)),
  );
});

describe("forgetting", () => {
  const gone = (prune: "never" | "grace" | "immediate", goneSinceMs: number | undefined) => {
    return { prune, graceMs: 1_000, goneSinceMs };
  };

  test("is no matter while a source has it", () => {
    const listings = [gone("immediate", 0), gone("immediate", undefined)];
    expect(isForgotten(listings, false, 9_000)).toBe(false);
  });

  test("is left to the most cautious of those that had it", () => {
    expect(isForgotten([gone("immediate", 0)], true, 0)).toBe(true);
    expect(isForgotten([gone("immediate", 0), gone("never", 0)], false, 9_000)).toBe(false);
    const both = [gone("immediate", 0), gone("grace", 500)];
    expect(isForgotten(both, true, 9_000)).toBe(false);
    expect(isForgotten(both, false, 1_400)).toBe(false);
    expect(isForgotten(both, false, 1_499)).toBe(false);
    expect(isForgotten(both, false, 1_500)).toBe(true);
  });
});
