import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type EventLog,
  Foundation,
  type FoundationStartOptions,
  type LoggedEvent,
} from "../../dist/ts/index.js";
import { emptyLog } from "./event-log-stub.ts";
import { restarted } from "./service-outages.ts";
import { ServiceScene } from "./service-scene.ts";

const WORKER = fileURLToPath(new URL("./fixtures/event-worker.mjs", import.meta.url));
const WAIT = { timeout: 15_000 };

/** A log that does with a batch what a test says; `ids`: what it has. */
function logOf(append: (batch: readonly LoggedEvent[]) => Promise<void>): {
  log: EventLog;
  ids: number[];
} {
  const ids: number[] = [];
  let isClosed = false;
  const log: EventLog = {
    ...emptyLog(),
    append: async (batch) => {
      await append(batch);
      if (isClosed) throw new Error("the log is closed");
      ids.push(...batch.map(({ eventId }) => eventId));
    },
    close: async () => {
      isClosed = true;
    },
  };
  return { log, ids };
}

const nextTurn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a log that cannot follow", () => {
  test("gets all that it had room for before the node leaves", async () => {
    const { log, ids } = logOf(nextTurn);
    const node = await Foundation.start({ events: { log, logBytesMax: 20 << 20 } });
    const { events } = node;
    const data = "x".repeat(900_000);
    const stored = Array.from({ length: 40 }, () => events.store(events.newEvent("large", data)));
    const room = Math.floor((20 << 20) / 900_000);
    expect(events.stats()).toMatchObject({ waiting: room, unlogged: 40 - room });
    await node.leave();
    expect(ids).toEqual(stored.slice(0, room));
  });

  test("goes on after a refusal that nobody can write down, and the node leaves", async () => {
    let refusals = 1;
    const { log, ids } = logOf(async () => {
      if (refusals-- > 0) throw new Error("the disk is full");
    });
    const broken = {
      log: () => {
        throw new Error("nobody reads");
      },
    };
    const node = await Foundation.start({ events: { log }, log: broken });
    const { events } = node;
    await expect(events.record(events.newEvent("test", 1))).rejects.toThrow("the disk is full");
    const id = await events.record(events.newEvent("test", 2));
    await node.leave();
    expect(ids).toEqual([id]);
  });
});

describe("another isolate", () => {
  let scene: ServiceScene;
  beforeEach(() => {
    scene = new ServiceScene();
  });
  afterEach(async () => scene.end());

  /** A node, and a worker of it that does what it is asked. */
  async function startBoth(options: FoundationStartOptions) {
    return [await scene.start(options), await scene.startWorker(WORKER)] as const;
  }

  test("stores an event once, though whom it asked is killed before the answer", async () => {
    let acknowledge = (): void => {};
    const acknowledged = new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
    const { log, ids } = logOf(async () => acknowledged);
    const [node, ask] = await startBoth({ events: { log } });
    const told: number[] = [];
    node.events.subscribe(({ eventId }) => told.push(eventId), { eventType: "once" });
    const recorded = ask("record", "once", 1);
    await expect.poll(() => told.length, WAIT).toBe(1);
    await restarted(node, "eventAuthority");
    acknowledge();
    const [id] = told;
    expect(await recorded).toEqual({ value: id });
    expect(await ask("record", "other", 2)).toHaveProperty("value");
    expect(told).toEqual([id]);
    expect(ids.filter((one) => one === id)).toEqual([id]);
    expect(node.events.stats().eventsStored).toBe(2);
  });

  test("has the node's limits", async () => {
    const [, ask] = await startBoth({ events: { pendingEventsMax: 10 } });
    expect(await ask("recordMany", "many", 10)).toMatchObject({ value: { length: 10 } });
    expect(await ask("recordMany", "many", 11)).toEqual({ code: "service_unavailable" });
  });

  test("has failures of its listeners counted and written down by the node", async () => {
    const lines: unknown[] = [];
    const log = { log: (...line: unknown[]): void => void lines.push(line) };
    const [node, ask] = await startBoth({ log });
    await ask("followBadly", { eventType: "test" });
    const { events } = node;
    events.storeBatch([events.newEvent("test", 1), events.newEvent("test", 2)]);
    await expect.poll(() => events.stats().failures, WAIT).toBe(2);
    const facts = { error: expect.objectContaining({ message: "no listener" }) as unknown };
    const line = ["warn", "a listener of events failed", facts];
    expect(lines).toEqual([line, line]);
  });
});
