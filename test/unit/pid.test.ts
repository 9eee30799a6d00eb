import { describe, expect, test } from "vitest";
import { comparePids, Pid, parsePid } from "../../dist/ts/index.js";
import { decodeValue, ENCODING, encodeValue } from "../../dist/ts/kernel/values.js";

const home = { node: "a/b:1", life: "17-ff", slot: 3, generation: 7 };
const pid = new Pid(home, 2 ** 40);

describe("a pid", () => {
  test("is the same after it was printed and read", () => {
    const read = parsePid(String(pid));
    expect(read.equals(pid)).toBe(true);
    expect(String(read)).toBe(String(pid));
    expect(JSON.stringify({ pid })).toBe(JSON.stringify({ pid: String(pid) }));
  });

  test.each(["", "<a>", "<a/1/0.0>", "<a/1/0.0.x>", "<a/1/0.0.1", `<a/1/0.0.${"9".repeat(17)}>`])(
    "is not read from '%s'",
    (text) => {
      expect(() => parsePid(text)).toThrow(expect.objectContaining({ code: "invalid_pid" }));
    },
  );

  test.each([{ node: "c" }, { life: "18-00" }, { slot: 4 }, { generation: 8 }])(
    "of another home, %j, is another one and greater",
    (other) => {
      const greater = new Pid({ ...home, ...other }, 1);
      expect(greater.equals(pid)).toBe(false);
      expect([greater, pid].toSorted(comparePids)).toEqual([pid, greater]);
      expect(comparePids(pid, new Pid({ ...home }, 2 ** 40))).toBe(0);
    },
  );

  test("is a pid again after a journey, wherever it stands in a message", () => {
    const message = { to: pid, list: [pid], map: new Map([["k", pid]]) };
    const bytes = Uint8Array.from(encodeValue(message).bytes);
    const read = decodeValue(bytes, ENCODING.packed) as typeof message;
    for (const found of [read.to, read.list[0], read.map.get("k")]) {
      expect(found).toBeInstanceOf(Pid);
      expect(found?.equals(pid)).toBe(true);
    }
  });

  test("is not read from bytes that are none, whatever is cut or changed", () => {
    const bytes = Uint8Array.from(encodeValue(pid).bytes);
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeValue(bytes.slice(0, length), ENCODING.packed)).toThrow(
        expect.objectContaining({ code: "undecodable" }),
      );
    }
    // The node's name becomes a number, the slot a text.
    for (const [place, mark] of [
      [1, 0x05],
      [bytes.length - 11, 0xa0],
    ] as const) {
      const wrong = bytes.slice();
      wrong[place] = mark;
      expect(() => decodeValue(wrong, ENCODING.packed)).toThrow(
        expect.objectContaining({ code: "undecodable" }),
      );
    }
  });
});
