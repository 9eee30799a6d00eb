import { describe, expect, test } from "vitest";
import type { DiscoveringNode } from "../../ts/distributed/discovery/provider.ts";
import { FloodGuard } from "../../ts/distributed/discovery/providers/gossip/flood-guard.ts";
import {
  decodeHeartbeat,
  encodeHeartbeat,
} from "../../ts/distributed/discovery/providers/gossip/heartbeat-terms.ts";
import {
  libclusterFormat,
  PLAIN_CODEC,
  secretCodec,
} from "../../ts/distributed/discovery/providers/gossip/libcluster-format.ts";
import { ReplayWindow } from "../../ts/distributed/discovery/providers/gossip/replay-window.ts";
import { signedFormat } from "../../ts/distributed/discovery/providers/gossip/signed-format.ts";
import { printedRandom } from "../integration/seeded-random.ts";

const hex = (digits: string): Buffer => Buffer.from(digits, "hex");
/** Heartbeats of a node `a@h`, as Erlang/OTP and libcluster write them. */
const NEW_ATOMS = hex("6865617274626561743a3a83740000000177046e6f64657703614068");
const OLD_ATOMS = hex("6865617274626561743a3a8374000000016400046e6f6465640003614068");
const IV = hex("000102030405060708090a0b0c0d0e0f");
const SEALED = hex(
  "000102030405060708090a0b0c0d0e0f0293fcf646d248542d82eea283216c73" +
    "78e8258160fa89a7e3457f685ac693aa",
);
const PASSWORD = Buffer.from("somepassword");

describe("heartbeats of libcluster", () => {
  test("plain ones are written as OTP 26 writes them, and read with atoms of either kind", () => {
    expect(PLAIN_CODEC.seal("a@h")).toEqual(NEW_ATOMS);
    expect(PLAIN_CODEC.open(NEW_ATOMS)).toBe("a@h");
    expect(PLAIN_CODEC.open(OLD_ATOMS)).toBe("a@h");
  });

  test("those with a secret are written and read byte for byte", () => {
    const codec = secretCodec(PASSWORD, () => IV);
    expect(codec.seal("a@h")).toEqual(SEALED);
    expect(codec.open(SEALED)).toBe("a@h");
    expect(secretCodec(Buffer.from("another")).open(SEALED)).toBeUndefined();
    expect(secretCodec(PASSWORD).open(NEW_ATOMS)).toBeUndefined();
    expect(PLAIN_CODEC.open(SEALED)).toBeUndefined();
    const drawn = secretCodec(PASSWORD);
    expect(drawn.seal("a@h")).not.toEqual(drawn.seal("a@h"));
    expect(drawn.open(drawn.seal("a@h"))).toBe("a@h");
  });

  test("atoms are read with each of the four tags, and long ones are written", () => {
    for (const key of ["6400046e6f6465", "73046e6f6465", "7600046e6f6465", "77046e6f6465"]) {
      for (const value of ["640003614068", "7303614068", "760003614068", "7703614068"]) {
        expect(decodeHeartbeat(hex(`837400000001${key}${value}`))).toBe("a@h");
      }
    }
    expect(decodeHeartbeat(hex("83740000000177046e6f6465730161"))).toBe("a");
    expect(decodeHeartbeat(hex("83740000000177046e6f64657301e9"))).toBe("é"); // Latin 1
    const long = `${"é".repeat(200)}@10.0.0.1`;
    expect(decodeHeartbeat(encodeHeartbeat(long))).toBe(long);
  });

  test.each([
    ["nothing", ""],
    ["no term", "00"],
    ["another version", "82740000000177046e6f64657703614068"],
    ["no pair", "837400000000"],
    ["two pairs", "83740000000277046e6f6465770361406877017877017a"],
    ["more pairs than bytes", "8374ffffffff77046e6f64657703614068"],
    ["another key", "83740000000177046e6f64667703614068"],
    ["a binary in place of the name", "83740000000177046e6f64656d00000003614068"],
    ["a list in place of the name", "83740000000177046e6f64656b0003614068"],
    ["a number in place of the name", "83740000000177046e6f64656101"],
    ["a function", "83740000000177046e6f646571"],
    ["a compressed term", "8350000000"],
    ["a map in place of the key", "837400000001740000000077036140"],
    ["something behind it", "83740000000177046e6f6465770361406800"],
    ["an atom that ends early", "83740000000177046e6f646577046140"],
    ["a length that ends early", "83740000000177046e6f64656400"],
    ["an atom longer than any", `83740000000177046e6f64657603fd${"61".repeat(1021)}`],
    ["bytes that are no UTF-8", "83740000000177046e6f64657702c328"],
  ])("%s is refused", (_, digits) => {
    expect(decodeHeartbeat(hex(digits))).toBeUndefined();
  });

  test("one changed byte is refused or another name, and never an error", () => {
    const random = printedRandom("changed heartbeats");
    let refused = 0;
    for (let round = 0; round < 5_000; round++) {
      const bytes = Buffer.from(round % 2 === 0 ? NEW_ATOMS : OLD_ATOMS);
      const at = random.below(bytes.length);
      bytes[at] = random.below(256);
      const name = PLAIN_CODEC.open(bytes.subarray(0, bytes.length - random.below(2)));
      if (name === undefined) refused += 1;
      else expect(Buffer.byteLength(name)).toBeLessThanOrEqual(6);
    }
    expect(refused).toBeGreaterThan(2_500);
  });

  test("a name with an address is a candidate, one with a host name is left out", () => {
    const format = libclusterFormat(PLAIN_CODEC, "app@10.0.0.1", 7000);
    const open = (name: string) => format.open(PLAIN_CODEC.seal(name));
    expect(open("app@10.0.0.2")).toEqual({ address: "10.0.0.2:7000", name: "app@10.0.0.2" });
    expect(open("app@fd00::2")).toEqual({ address: "[fd00::2]:7000", name: "app@fd00::2" });
    expect(open("app@web-1.internal")).toBe("badHost");
    expect(open("app@10.0.0.1")).toBe("own");
    for (const name of ["app", "@10.0.0.2", "a@b@10.0.0.2", "a\n@10.0.0.2", "app@"]) {
      expect(open(name)).toBe("badPacket");
    }
    expect(format.open(format.seal())).toBe("own");
  });
});

const SECRET = Buffer.from("a secret of these tests");
const A = nodeAt("a", "10.0.0.1:7000");
const B = nodeAt("b", "10.0.0.2:7000");

function nodeAt(name: string, address: string, cluster = "shop"): DiscoveringNode {
  return { name, cluster, address, host: "10.0.0.1", port: 7000 };
}

function signedScene(rememberedMax?: number) {
  let nowMs = 1_700_000_000_000;
  const wallNow = () => nowMs;
  const common = { clockWindowMs: 30_000, wallNow };
  const formatOf = (self: DiscoveringNode, ...secrets: readonly Uint8Array[]) =>
    signedFormat({
      ...common,
      self,
      secrets: secrets.length > 0 ? secrets : [SECRET],
      ...(rememberedMax && { rememberedMax }),
    });
  const pass = (byMs: number): void => {
    nowMs += byMs;
  };
  return { formatOf, pass };
}

describe("signed heartbeats", () => {
  test("one is heard once, and again never, however long it is kept", () => {
    const { formatOf, pass } = signedScene();
    const [a, b] = [formatOf(A), formatOf(B)];
    const packet = a.seal();
    expect(b.open(packet)).toEqual({ address: "10.0.0.1:7000", name: "a" });
    expect(b.open(packet)).toBe("replayed");
    pass(29_999);
    expect(b.open(packet)).toBe("replayed");
    expect(b.open(a.seal())).toEqual({ address: "10.0.0.1:7000", name: "a" });
    pass(2);
    expect(b.open(packet)).toBe("stale");
    expect(a.open(a.seal())).toBe("own");
  });

  test("one from a clock that is ahead is no hole: it stays known as long as it is in time", () => {
    const [here, ahead] = [signedScene(), signedScene()];
    ahead.pass(30_000);
    const b = here.formatOf(B);
    const packet = ahead.formatOf(A).seal();
    expect(b.open(packet)).toMatchObject({ name: "a" });
    here.pass(60_000);
    expect(b.open(packet)).toBe("replayed");
    here.pass(1);
    expect(b.open(packet)).toBe("stale");
    ahead.pass(60_002);
    expect(b.open(ahead.formatOf(A).seal())).toBe("stale");
  });

  test("every changed bit is refused", () => {
    const { formatOf } = signedScene();
    const [a, b] = [formatOf(A), formatOf(B)];
    const packet = a.seal();
    const verdicts = new Set<unknown>();
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const changed = Buffer.from(packet);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      verdicts.add(b.open(changed));
    }
    const expected = ["badPacket", "forged", "otherCluster", "otherVersion"];
    expect([...verdicts].sort()).toEqual(expected);
    expect(b.open(packet)).toMatchObject({ name: "a" });
  });

  test("every shorter or longer one is refused, and whoever has another secret", () => {
    const { formatOf } = signedScene();
    const b = formatOf(B);
    const packet = formatOf(A).seal();
    for (let length = 0; length < packet.length; length++) {
      expect(["badPacket", "otherVersion"]).toContain(b.open(packet.subarray(0, length)));
    }
    expect(b.open(Buffer.concat([packet, Buffer.of(0)]))).toBe("badPacket");
    expect(b.open(formatOf(A, Buffer.from("another secret of tests")).seal())).toBe("forged");
    expect(b.open(formatOf(nodeAt("a", "10.0.0.1:7000", "other")).seal())).toBe("otherCluster");
    expect(b.open(formatOf(nodeAt("a", "example.org:7000")).seal())).toBe("badHost");
  });

  test("a secret is changed one node after the other, and none is unheard meanwhile", () => {
    const { formatOf } = signedScene();
    const next = Buffer.from("the next secret of tests");
    const [before, between, after] = [
      formatOf(A),
      formatOf(B, next, SECRET),
      formatOf(nodeAt("c", "10.0.0.3:7000"), next),
    ];
    expect(between.open(before.seal())).toMatchObject({ name: "a" });
    expect(between.open(after.seal())).toMatchObject({ name: "c" });
    expect(after.open(between.seal())).toMatchObject({ name: "b" });
    expect(after.open(before.seal())).toBe("forged");
    expect(before.open(between.seal())).toBe("forged");
  });

  test("a full memory refuses rather than forgets, until time has passed", () => {
    const { formatOf, pass } = signedScene(3);
    const [a, b] = [formatOf(A), formatOf(B)];
    for (let round = 0; round < 3; round++) expect(b.open(a.seal())).toMatchObject({ name: "a" });
    expect(b.open(a.seal())).toBe("tooMany");
    pass(60_001);
    expect(b.open(a.seal())).toMatchObject({ name: "a" });
  });
});

test("what is remembered of heartbeats stays bounded", () => {
  const window = new ReplayWindow(1_000, 10);
  for (let at = 0; at < 100_000; at += 100) window.take(`${at}`, at, at);
  expect(window.size).toBeLessThanOrEqual(10);
  expect(window.take("never", Number.NaN, 0)).toBe("stale");
});

describe("floods", () => {
  test("one sender has its share, and the others keep theirs", () => {
    const guard = new FloodGuard(0);
    const admitted = (source: string, packets: number, nowMs: number) =>
      Array.from({ length: packets }, () => guard.admits(source, nowMs)).filter(Boolean).length;
    expect(admitted("loud", 10_000, 0)).toBe(400);
    expect(admitted("quiet", 100, 0)).toBe(100);
    expect(admitted("loud", 10_000, 500)).toBe(200);
    expect(admitted("loud", 10_000, 60_000)).toBe(400);
  });

  test("many senders have a share together, and few of them are remembered", () => {
    const guard = new FloodGuard(0);
    let admitted = 0;
    for (let number = 0; number < 100_000; number++) {
      if (guard.admits(`10.0.${number >> 8}.${number & 255}`, 0)) admitted += 1;
    }
    expect(admitted).toBe(4_000);
    expect(guard.size).toBe(1_024);
  });
});
