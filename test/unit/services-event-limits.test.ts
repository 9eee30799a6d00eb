import { describe, expect, test } from "vitest";
import type { FoundationEvent } from "../../ts/services/events/event-types.ts";
import { eventOf, eventScene } from "./services-event-scene.ts";
import { codeOf } from "./thrown-code.ts";

const START = 1_700_000_000_000;
const idsOf = (events: readonly FoundationEvent[]): number[] =>
  events.map(({ eventId }) => eventId);

/** A configuration whose section `storage.hot` can be changed. */
class HotConfig {
  readonly #listeners = new Set<() => void>();
  hot: Record<string, unknown> | undefined;

  constructor(hot: Record<string, unknown> | undefined) {
    this.hot = hot;
  }

  getWithDefault(path: readonly string[], fallback: unknown): unknown {
    expect(path).toEqual(["storage", "hot"]);
    return this.hot ?? fallback;
  }

  subscribe(listener: () => void, { path }: { readonly path: readonly string[] }): () => void {
    expect(path).toEqual(["storage", "hot"]);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change(hot: Record<string, unknown>): void {
    this.hot = hot;
    for (const listener of this.#listeners) listener();
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}

function fill({ events }: ReturnType<typeof eventScene>, count: number): void {
  for (let eventId = 1; eventId <= count; eventId++) {
    events.store(eventOf({ eventId, timestamp: START + eventId }));
  }
}

describe("storage.hot (D12)", () => {
  test("maxEvents caps what is kept: those that were stored first make room", () => {
    const scene = eventScene({ config: new HotConfig({ maxEvents: 3 }) });
    fill(scene, 5);
    expect(idsOf(scene.events.query())).toEqual([3, 4, 5]);
    expect(scene.events.stats()).toMatchObject({ eventsStored: 5, eventsPruned: 2 });
    scene.events.storeBatch([6, 7, 8, 9].map((eventId) => eventOf({ eventId })));
    expect(idsOf(scene.events.query({ orderBy: "eventId" }))).toEqual([7, 8, 9]);
  });

  test("without a configuration 100,000 events are kept for an hour", () => {
    const { events, clock } = eventScene();
    events.store(eventOf({ timestamp: START }));
    clock.advance(3_599_999);
    expect(events.stats().currentEventCount).toBe(1);
    // Looked for every minute: the first look after the hour is at its end.
    clock.advance(60_001);
    expect(events.stats()).toMatchObject({ currentEventCount: 0, eventsPruned: 1 });
  });

  test("maxAgeSeconds says what is too old, pruneInterval how often that is looked for", () => {
    const config = new HotConfig({ maxAgeSeconds: 10, pruneInterval: 5_000 });
    const { events, clock } = eventScene({ config });
    events.store(eventOf({ eventId: 1, timestamp: START }));
    clock.advance(4_000);
    events.store(eventOf({ eventId: 2, timestamp: START + 4_000 }));
    clock.advance(6_000);
    expect(events.stats().currentEventCount).toBe(2);
    clock.advance(5_000);
    expect(events.stats()).toMatchObject({ currentEventCount: 0, eventsPruned: 2 });
  });

  test("a change counts at once", () => {
    const config = new HotConfig({ maxEvents: 10 });
    const scene = eventScene({ config });
    fill(scene, 10);
    config.change({ maxEvents: 4 });
    expect(idsOf(scene.events.query())).toEqual([7, 8, 9, 10]);
    config.change({ maxEvents: 4, maxAgeSeconds: 1, pruneInterval: 100 });
    scene.clock.advance(1_200);
    expect(scene.events.stats().currentEventCount).toBe(0);
  });

  test("a change is seen at the next look where the configuration cannot tell of it", () => {
    const config = { getWithDefault: () => hot };
    let hot: unknown = { maxEvents: 10, pruneInterval: 100 };
    const scene = eventScene({ config });
    fill(scene, 10);
    hot = { maxEvents: 2, pruneInterval: 100 };
    scene.clock.advance(100);
    expect(idsOf(scene.events.query())).toEqual([9, 10]);
  });

  test("values that cannot be are as if they were not there", () => {
    const scene = eventScene({ config: new HotConfig({ maxEvents: -1, maxAgeSeconds: "x" }) });
    fill(scene, 5);
    scene.clock.advance(60_000);
    expect(scene.events.stats().currentEventCount).toBe(5);
  });

  test("a store that ends asks for nothing any more", () => {
    const config = new HotConfig({});
    const { core, clock } = eventScene({ config });
    expect([config.listeners, clock.pending]).toEqual([1, 1]);
    core().close();
    expect([config.listeners, clock.pending]).toEqual([0, 0]);
  });
});

describe("memory", () => {
  test("is bounded in bytes as well: the first ones make room for large ones", () => {
    const bytesMax = 4 << 20;
    const { events } = eventScene({}, { bytesMax });
    for (let eventId = 1; eventId <= 200; eventId++) {
      const data = "x".repeat(eventId % 3 === 0 ? 200_000 : 5_000);
      events.store(eventOf({ eventId, data }));
      expect(events.stats().eventBytes).toBeLessThanOrEqual(bytesMax);
    }
    const kept = idsOf(events.query({ orderBy: "eventId" }));
    expect(kept.at(-1)).toBe(200);
    expect(kept).toEqual(Array.from(kept, (_, index) => 201 - kept.length + index));
    expect(kept.length).toBeGreaterThan(30);
  });

  test("of events that come and go does not grow", () => {
    const { events } = eventScene({ config: new HotConfig({ maxEvents: 500 }) });
    const sizes: number[] = [];
    for (let eventId = 1; eventId <= 20_000; eventId++) {
      const correlationId = `operation-${eventId}`;
      events.store(eventOf({ eventId, eventType: `type-${eventId % 7}`, correlationId }));
      if (eventId % 5_000 === 0) sizes.push(events.stats().memoryUsageEstimate);
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual((sizes[0] as number) * 1.5);
    expect(events.stats().currentEventCount).toBe(500);
  });

  test.each([{ bytesMax: 1 }, { bytesMax: 4.5 }, { pendingEventsMax: 0 }, { bytes: 1 }])(
    "cannot be bounded by %j",
    (options) => {
      expect(codeOf(() => eventScene({}, options as never))?.[0]).toBe("invalid_options");
    },
  );
});
