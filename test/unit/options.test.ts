import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { nearest } from "../../ts/base/nearest.ts";
import {
  CHANNEL_DEFAULTS,
  FOUNDATION_DEFAULTS,
  type FoundationOptions,
  parseAddress,
  resolveOptions,
  toNativeOptions,
} from "../../ts/kernel/options.ts";

const invalid = (message: RegExp | string): unknown =>
  expect.objectContaining({
    code: "invalid_options",
    message:
      typeof message === "string"
        ? expect.stringContaining(message)
        : expect.stringMatching(message),
  });

const SECRET = "a secret of thirty-two bytes, one";

/** Options that the types forbid, as JavaScript callers may write them. */
const resolve = (options: Record<string, unknown>): unknown => resolveOptions(options);

describe("without options", () => {
  test("a node gets the defaults and a name of its own", () => {
    const first = resolveOptions({});
    expect(first).toEqual({ ...FOUNDATION_DEFAULTS, name: first.name });
    expect(first.name).toMatch(/^node-[a-z0-9]+$/);
    expect(resolveOptions({}).name).not.toBe(first.name);
  });

  test("or with undefined ones it gets the same", () => {
    const options = { name: "n", cluster: undefined, ringBytes: undefined };
    expect(resolve(options)).toEqual({ ...FOUNDATION_DEFAULTS, name: "n" });
  });

  test("the defaults pass their own checks", () => {
    expect(() => resolve({ ...FOUNDATION_DEFAULTS, name: "n" })).not.toThrow();
    expect(Object.isFrozen(FOUNDATION_DEFAULTS)).toBe(true);
    expect(Object.isFrozen(CHANNEL_DEFAULTS)).toBe(true);
  });
});

describe("an unknown option", () => {
  test.each([
    ["nam", "name"],
    ["Listen", "listen"],
    ["seed", "seeds"],
    ["heartBeatMs", "heartbeatMs"],
    ["ringByte", "ringBytes"],
    ["messageMaxBytes", "messageBytesMax"],
    ["secretz", "secrets"],
    ["kernelcores", "kernelCore"],
  ])("%s is answered with the nearest known one, %s", (key, known) => {
    expect(() => resolve({ [key]: 1 })).toThrow(
      invalid(
        `unknown option '${key}' in the options of Foundation.start; did you mean '${known}'?`,
      ),
    );
  });

  test("that resembles none is answered without a guess", () => {
    expect(() => resolve({ qqqqqqqqqqqqqqqqqq: 1 })).toThrow(invalid(/Foundation\.start$/));
    expect(nearest("qqqqqqqqqqqqqqqqqq", ["name", "listen"])).toBeUndefined();
  });

  test("of a channel names the channel", () => {
    expect(() => resolve({ channels: { bulk: { priorty: 1 } } })).toThrow(
      invalid("unknown option 'priorty' in channel 'bulk'; did you mean 'priority'?"),
    );
  });

  test("is found among inherited names too", () => {
    expect(() => resolve({ toString: 1 })).toThrow(invalid("unknown option 'toString'"));
  });
});

describe("a number out of its range", () => {
  const ranges: [keyof FoundationOptions, number, number][] = [
    ["arenaBytesMax", 16 << 20, 0xffff_f000],
    ["ringBytes", 16 << 10, 64 << 20],
    ["busyAfterMs", 10, 3_600_000],
    ["heartbeatMs", 10, 3_600_000],
    ["silentAfterMs", 30, 86_400_000],
    ["reassemblyTimeoutMs", 100, 86_400_000],
    ["highWaterBytes", 4 << 10, 1 << 30],
    ["lowWaterBytes", 0, 1 << 30],
    ["windowBytes", 4 << 10, 1 << 30],
    ["windowBytesMax", 4 << 10, 1 << 30],
    ["messageBytesMax", 1 << 10, 16 << 20],
    ["receiveBytesMax", 1 << 10, 0xffff_f000],
    ["chunkBytes", 1 << 10, 256 << 10],
    ["unsentBytes", 4 << 10, 64 << 20],
    ["drainBudgetMs", 1, 10_000],
  ];

  test.each(ranges)("is refused: %s", (name, min, max) => {
    const wrong = [
      min - 1,
      max + 1,
      min + 0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      `${min}`,
      null,
    ];
    for (const value of wrong) {
      expect(() => resolve({ [name]: value })).toThrow(
        invalid(`${name} must be a whole number from ${min} to ${max}, not ${String(value)}`),
      );
    }
  });

  test.each([
    ["priority", 256, "0 to 255"],
    ["priority", -1, "0 to 255"],
    ["weight", 0, "1 to 65535"],
    ["weight", 65_536, "1 to 65535"],
    ["lanes", 0, "1 to 15"],
    ["lanes", 16, "1 to 15"],
    ["lanes", "2", "1 to 15"],
  ])("is refused in a channel: %s %s", (name, value, range) => {
    expect(() => resolve({ channels: { bulk: { [name]: value } } })).toThrow(
      invalid(`${name} of channel 'bulk' must be a whole number from ${range}`),
    );
  });
});

describe("a broken relation is named", () => {
  test.each<[string, FoundationOptions]>([
    [
      "lowWaterBytes must be below highWaterBytes",
      { lowWaterBytes: 8 << 20, highWaterBytes: 8 << 20 },
    ],
    [
      "windowBytes must not exceed windowBytesMax",
      { windowBytes: 2 << 20, windowBytesMax: 1 << 20 },
    ],
    ["silentAfterMs must exceed twice heartbeatMs", { heartbeatMs: 500, silentAfterMs: 1_000 }],
    ["ringBytes must be a power of two", { ringBytes: 100_000 }],
    ["arenaBytesMax must hold at least eight", { ringBytes: 64 << 20, arenaBytesMax: 64 << 20 }],
    ["receiveBytesMax must hold at least one", { receiveBytesMax: 1 << 20 }],
  ])("%s", (text, options) => {
    expect(() => resolveOptions(options)).toThrow(invalid(text));
  });
});

describe("what is neither a number nor a word", () => {
  test.each([
    // A text is no switch: "false" would allow plain text.
    ["insecure must be true or false", { insecure: "false" }],
    ["encrypt must be true or false", { encrypt: 1 }],
    ["monotonic of channel 'a' must be a switch", { channels: { a: { monotonic: "no" } } }],
    ["name must be text", { name: 5 }],
    ["cluster must be text", { cluster: null }],
    ["listen must be an address", { listen: 7000 }],
    ["advertise must be an address", { advertise: {} }],
    ["seeds must be a list of addresses", { seeds: "127.0.0.1:7000" }],
    ["seeds must be a list of addresses", { seeds: [7000] }],
    ["channels must be an object of channels", { channels: [] }],
    ["overlays must be an object of overlays", { overlays: "hyparview" }],
    ["kernelCore must be the number of a core", { kernelCore: -1 }],
    ["lifeStart must be a whole number", { lifeStart: 0.5 }],
    ["protocolVersions must be the lowest", { protocolVersions: [1] }],
    ["options of Foundation.start must be an object", []],
  ])("%s: %j", (text, options) => {
    expect(() => resolve(options as Record<string, unknown>)).toThrow(invalid(text));
  });
});

describe("names", () => {
  test.each([{ name: "" }, { cluster: "" }, { channels: { "": {} } }])(
    "are not empty: %j",
    (options) => {
      expect(() => resolve(options)).toThrow(invalid("must have 1 to 255 bytes"));
    },
  );

  test("are measured in bytes", () => {
    expect(resolveOptions({ name: "é".repeat(127) }).name).toHaveLength(127);
    expect(() => resolveOptions({ name: "é".repeat(128) })).toThrow(invalid("1 to 255 bytes"));
  });
});

describe("addresses", () => {
  test.each([
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["[::1]:65535", "::1", 65_535],
    ["[fe80::1]:80", "fe80::1", 80],
  ])("%s is one", (text, host, port) => {
    expect(parseAddress(text, "seed")).toEqual({ host, port });
  });

  test.each([
    "",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:123456",
    "127.0.0.1:-1",
    "127.0.0.1:1 ",
    "localhost:80",
    "example.org:80",
    "256.0.0.1:80",
    "::1:80",
    "[::1]",
    "[127.0.0.1:80",
    "http://127.0.0.1:80",
  ])("'%s' is none", (text) => {
    const message = invalid(`seed '${text}' is not an IP address with a port`);
    expect(() => resolveOptions({ seeds: [text] })).toThrow(message);
    expect(() => resolveOptions({ listen: text })).toThrow(invalid("listen"));
    expect(() => resolveOptions({ advertise: text })).toThrow(invalid("advertise"));
  });

  test.each(["0.0.0.0:7000", "[::]:7000", "192.168.0.1:0"])(
    "%s is refused in plain text",
    (listen) => {
      const refusal = (text: string): unknown =>
        expect.objectContaining({ code: "insecure_bind", message: expect.stringContaining(text) });
      expect(() => resolveOptions({ listen })).toThrow(refusal("there is no secret"));
      expect(resolveOptions({ listen, secret: SECRET }).secrets).toHaveLength(1);
    },
  );

  test("are as open when others are told of them, or when they are dialled", () => {
    const advertise = "192.168.0.1:7000";
    const code = (code: string): unknown => expect.objectContaining({ code });
    expect(() => resolveOptions({ advertise })).toThrow(code("insecure_bind"));
    expect(() => resolveOptions({ seeds: [advertise] })).toThrow(code("insecure_dial"));
    resolveOptions({ seeds: [advertise], secret: SECRET });
    resolveOptions({ seeds: [advertise], insecure: true });
  });

  test("off loopback are taken with insecure: true, and a warning says what that means", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    resolveOptions({ name: "open", listen: "0.0.0.0:7000", insecure: true });
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringContaining("node 'open' is reached at 0.0.0.0:7000 in plain text"),
      { code: "FOUNDATION_INSECURE" },
    );
    warn.mockRestore();
  });
});

describe("a secret", () => {
  const digits = Buffer.from(SECRET).toString("hex");

  test("is text, bytes, or where to find it", () => {
    const folder = mkdtempSync(join(tmpdir(), "secret-"));
    const path = join(folder, "secret");
    writeFileSync(path, `${SECRET}\n`);
    vi.stubEnv("SECRET_OF_THE_TEST", SECRET);
    for (const secret of [SECRET, Buffer.from(SECRET), `file:${path}`, "env:SECRET_OF_THE_TEST"]) {
      expect(resolveOptions({ secret }).secrets).toEqual([digits]);
      expect(resolveOptions({ secrets: [secret] }).secrets).toEqual([digits]);
    }
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["too short", "fifteen bytes..", "secret has 15 bytes and must have at least 16"],
    ["of an absent variable", "env:NO_SUCH_VARIABLE_HERE", "NO_SUCH_VARIABLE_HERE is not set"],
    ["of an absent file", "file:/no/such/file", "the file /no/such/file cannot be read"],
    ["a number", 7, "must be a string or a Uint8Array"],
  ])("%s is refused, and not shown", (_, secret, text) => {
    expect(() => resolve({ secret })).toThrow(invalid(text));
    if (text.includes("15 bytes")) expect(() => resolve({ secret })).not.toThrow(/fifteen/);
  });

  test("is given one way, and so many at most", () => {
    expect(() => resolve({ secret: SECRET, secrets: [SECRET] })).toThrow(invalid("give one"));
    const many = Array.from({ length: 9 }, (_, at) => `${SECRET} ${at}`);
    expect(() => resolve({ secrets: many })).toThrow(invalid("at most 8 secrets"));
  });

  test("is what encrypt needs, and insecure contradicts", () => {
    expect(() => resolve({ encrypt: true })).toThrow(invalid("needs a secret"));
    const both = { encrypt: true, insecure: true, secret: SECRET };
    expect(() => resolve(both)).toThrow(invalid("contradict"));
    expect(resolveOptions({ encrypt: true, secret: SECRET }).encrypt).toBe(true);
  });
});

test("the native core is told of channels with defaults, and of nothing it ignores", () => {
  const options = resolveOptions({
    name: "n",
    channels: { bulk: { priority: 2 } },
    protocolVersions: [1, 1],
    lifeStart: 7,
    kernelCore: 0,
  });
  const told = JSON.parse(toNativeOptions(options)) as Record<string, unknown>;
  expect(told).toMatchObject({
    name: "n",
    channels: [{ name: "bulk", priority: 2, weight: 1, lanes: 1, monotonic: false }],
    versions: [1, 1],
    lifeStart: 7,
  });
  for (const ignored of ["arenaBytesMax", "drainBudgetMs", "kernelCore", "protocolVersions"]) {
    expect(told).not.toHaveProperty(ignored);
  }
});
