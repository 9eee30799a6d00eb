import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type FoundationError,
  type LoggedEvent,
  WARM_STORE_DEFAULTS,
  WarmStore,
  type WarmStoreOptions,
} from "../../dist/ts/index.js";

let path: string;
const open: WarmStore[] = [];

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "warm-unit-"));
});

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  await rm(path, { recursive: true });
});

async function opened(options: Partial<WarmStoreOptions> = {}): Promise<WarmStore> {
  const store = await WarmStore.open({ path, ...options });
  open.push(store);
  return store;
}

function event(eventId: number, fields: Partial<LoggedEvent> = {}): LoggedEvent {
  const bytes = new Uint8Array(10).fill(eventId);
  return { eventId, eventType: "test", correlationId: null, timestamp: eventId, bytes, ...fields };
}

const code = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no error",
    (error: unknown) => (error as FoundationError).code,
  );

describe("options of a warm store", () => {
  test.each([
    [{ path: "" }, "path must be the path of a folder"],
    [{ maxSizeMb: 7 }, "maxSizeMb must be a whole number of at least 8, not 7"],
    [{ maxSizeMb: 2 ** 20 + 1 }, "maxSizeMb must be at most 1048576, not 1048577"],
    [{ maxPendingBytes: 1_000 }, "maxPendingBytes must be a whole number of at least 65536"],
    [{ compression: "zip" }, "compression must be one of none, gzip, zstd, not 'zip'"],
    [{ durability: "memory" }, "durability must be one of process, disk, not 'memory'"],
    [{ repair: 1 }, "repair must be true or false"],
    [{ compresion: "none" }, "did you mean 'compression'?"],
  ])("%o are refused", async (options, text) => {
    const refused = WarmStore.open({ path, ...options } as WarmStoreOptions);
    await expect(refused).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining(text),
    });
  });

  test("have defaults that nobody can change", () => {
    expect(Object.isFrozen(WARM_STORE_DEFAULTS)).toBe(true);
    expect(WARM_STORE_DEFAULTS).toMatchObject({ maxSizeMb: 100, durability: "process" });
  });
});

describe("appends", () => {
  test("of one turn are one commit, and each of another turn may be its own", async () => {
    const store = await opened();
    await Promise.all(Array.from({ length: 500 }, (_, at) => store.append([event(at + 1)])));
    expect(await store.stats()).toMatchObject({ events: 500, appended: 500, commits: 1 });
    for (let id = 501; id <= 505; id++) await store.append([event(id)]);
    expect(await store.stats()).toMatchObject({ events: 505, commits: 6 });
  });

  test("are synced before they are acknowledged with durability disk only", async () => {
    const lax = await opened();
    await lax.append([event(1)]);
    expect(await lax.stats()).toMatchObject({ commits: 1, syncs: 0 });
    await lax.close();
    const strict = await opened({ durability: "disk" });
    const { syncs } = await strict.stats();
    for (let id = 2; id <= 6; id++) await strict.append([event(id)]);
    expect((await strict.stats()).syncs).toBe(syncs + 5);
  });

  test("beyond maxPendingBytes are refused, and taken again after drained", async () => {
    const store = await opened({ maxPendingBytes: 65_536 });
    const large = (id: number): LoggedEvent[] => [event(id, { bytes: new Uint8Array(30_000) })];
    const taken = [store.append(large(1)), store.append(large(2))];
    expect(await code(store.append(large(3)))).toBe("event_log_overloaded");
    expect((await store.stats()).pendingBytes).toBeLessThanOrEqual(65_536);
    await store.drained();
    await Promise.all(taken);
    await store.append(large(4));
    expect(await store.stats()).toMatchObject({ events: 3, pendingBytes: 0 });
    expect(await store.get(3)).toBeUndefined();
  });

  test.each([
    { eventId: 0 },
    { eventId: 1.5 },
    { timestamp: Number.NaN },
    { eventType: "x".repeat(65_535) },
    { correlationId: "€".repeat(22_000) },
    { bytes: new Uint8Array(4 << 20) },
  ])("of a batch with one wrong event (%#) are refused whole", async (fields) => {
    const store = await opened();
    const right = store.append([event(1)]);
    expect(await code(store.append([event(2), event(3, fields)]))).toBe("invalid_argument");
    await right;
    expect(await store.query({ limit: 10 })).toHaveLength(1);
  });

  test("copy what they are given before they return", async () => {
    const store = await opened();
    const bytes = new Uint8Array([1, 2, 3]);
    const appended = store.append([event(1, { bytes })]);
    bytes.fill(9);
    await appended;
    expect([...(await store.get(1))!]).toEqual([1, 2, 3]);
  });
});

describe("what is asked for", () => {
  test("is there at once, acknowledged or not", async () => {
    const store = await opened();
    const appended = store.append([event(7)]);
    expect([...(await store.get(7))!]).toEqual([...event(7).bytes]);
    await appended;
  });

  test.each([0, -1, 1.5, Number.NaN])("an id that is none (%d) is not there", async (id) => {
    expect(await (await opened()).get(id)).toBeUndefined();
  });

  test.each([
    [{ limit: -1 }, "limit"],
    [{ limit: 1_000_001 }, "limit"],
    [{ limit: 1, offset: 0.5 }, "offset"],
    [{ limit: 1, from: Number.NaN }, "from"],
    [{ limit: 1, orderBy: "eventType" }, "orderBy"],
  ])("a query %o is refused", async (query, name) => {
    const store = await opened();
    await expect(store.query(query as never)).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(name),
    });
  });

  test("times are inclusive at both ends, and what is pruned is before", async () => {
    const store = await opened();
    await store.append([1, 2, 3, 4, 5].map((id) => event(id)));
    const ids = async (): Promise<number[]> =>
      (await store.query({ from: 2, to: 4, limit: 10 })).map(([first]) => first!);
    expect(await ids()).toEqual([2, 3, 4]);
    expect(await store.pruneBefore(3)).toBe(2);
    expect(await ids()).toEqual([3, 4]);
    expect(await store.stats()).toMatchObject({ events: 3, pruned: 2, eventIdMax: 5 });
  });
});

test("keeps its files within maxSizeMb; what was stored first goes first", async () => {
  const store = await opened({ maxSizeMb: 8, compression: "none" });
  for (let id = 1; id <= 300; id++) {
    await store.append([event(id, { bytes: new Uint8Array(60_000).fill(id) })]);
  }
  const { bytes, events, pruned } = await store.stats();
  const sizes = (await readdir(path)).map(async (file) => {
    const { size, blocks } = await stat(join(path, file));
    return file === "index.redb" ? Math.min(size, 512 * blocks) : size; // it has holes
  });
  expect(bytes).toBe((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0));
  expect(bytes).toBeLessThanOrEqual(8 * 2 ** 20);
  expect(events + pruned).toBe(300);
  expect(await store.get(pruned)).toBeUndefined();
  expect(await store.get(pruned + 1)).toBeDefined();
});

test("takes batches of up to half of maxSizeMb, whatever is appended with them", async () => {
  const store = await opened({ maxSizeMb: 8, compression: "none" });
  const batch = (first: number, count: number): LoggedEvent[] =>
    Array.from({ length: count }, (_, at) => event(first + at, { bytes: new Uint8Array(100_000) }));
  const appended = [store.append(batch(1, 5)), store.append(batch(6, 41))];
  const refused = store.append(batch(47, 42));
  await expect(refused).rejects.toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining("at most 4194304 fit"),
  });
  await Promise.all(appended);
  expect(await store.stats()).toMatchObject({ appended: 46, eventIdMax: 46, pendingBytes: 0 });
});

test("closes behind as many requests as it takes, and answers each", async () => {
  const store = await opened();
  await store.append(Array.from({ length: 2_000 }, (_, at) => event(at + 1)));
  const query = { offset: 1_999, limit: 1, eventType: "test" };
  const queries = Array.from({ length: 50 }, () => code(store.query(query)));
  const asked = Array.from({ length: 20_000 }, () => code(store.get(1)));
  await store.close();
  const outcomes = new Set(await Promise.all([...queries, ...asked]));
  outcomes.delete("event_log_overloaded");
  expect(outcomes).toEqual(new Set(["no error"]));
  await store.close();
});

test("opens what it closed, greatest id included", async () => {
  const first = await opened();
  await first.append([event(3), event(9)]);
  await first.close();
  const second = await opened();
  expect(await second.stats()).toMatchObject({ events: 2, eventIdMax: 9, appended: 0 });
  expect(await second.query({ limit: 9, orderBy: "eventId", descending: true })).toHaveLength(2);
});
