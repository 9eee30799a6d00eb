import fc from "fast-check";
import { expect, test } from "vitest";
import { FoundationError } from "../../dist/ts/base/errors.js";
import type { CapturedEvent } from "../../dist/ts/index.js";
import { CaptureScene } from "../unit/capture-scene.ts";

const QUEUE_MAX = 6;

type Step =
  | { readonly kind: "record"; readonly events: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "settle" | "refuse" | "restart" | "flush" }
  | { readonly kind: "batchSize"; readonly events: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("record"), events: fc.nat(8) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.nat(120) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("settle") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("refuse", "restart", "flush") }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("batchSize"),
      events: fc.integer({ min: 1, max: 9 }),
    }),
  },
) as fc.Arbitrary<Step>;

/** A sink that takes a batch when it is told to, and sometimes is not there. */
class SlowSink {
  readonly stored: CapturedEvent[] = [];
  largest = 0;
  isDown = false;
  #settle: (() => void) | undefined;

  async storeBatch(batch: readonly CapturedEvent[]): Promise<number> {
    if (this.isDown) throw new FoundationError("service_unavailable", "down");
    this.largest = Math.max(this.largest, batch.length);
    expect(this.#settle).toBeUndefined();
    await new Promise<void>((resolve) => {
      this.#settle = () => {
        this.stored.push(...batch);
        resolve();
      };
    });
    return 0;
  }

  settle(): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.();
  }
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whoever is told that all was taken finds it there; whoever is not, knows why. */
async function checkFlush(scene: CaptureScene, sink: SlowSink, recorded: number): Promise<void> {
  try {
    await scene.core.flush();
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "service_unavailable" });
    return;
  }
  expect(sink.stored.length).toBeGreaterThanOrEqual(recorded);
}

interface Run {
  readonly scene: CaptureScene;
  readonly sink: SlowSink;
  readonly flushes: Promise<void>[];
  recorded: number;
}

async function apply(run: Run, one: Step): Promise<void> {
  const { scene, sink } = run;
  switch (one.kind) {
    case "record":
      return scene.record(...Array.from({ length: one.events }, () => String(run.recorded++)));
    case "pass":
      return scene.clock.advance(one.ms);
    case "settle":
      sink.settle();
      return turn();
    case "refuse":
      sink.isDown = !sink.isDown;
      return;
    case "restart":
      return scene.restart();
    case "flush":
      run.flushes.push(checkFlush(scene, sink, run.recorded));
      return;
    case "batchSize":
      scene.processing["batchSize"] = one.events;
      return scene.core.reconfigure();
  }
}

test("a sink gets every event once and in order, whatever happens meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const sink = new SlowSink();
      const scene = new CaptureScene(sink);
      scene.processing["maxQueueSize"] = QUEUE_MAX;
      const run: Run = { scene, sink, flushes: [], recorded: 0 };
      for (const one of steps) {
        await apply(run, one);
        expect(scene.core.processing.queued).toBeLessThanOrEqual(QUEUE_MAX);
      }
      sink.isDown = false;
      const { recorded } = run;
      // Each round stores a batch of at least one; a retry or a flush may come before it.
      for (let round = 0; round < 2 * recorded + 4; round++) {
        scene.clock.advance(1_000);
        sink.settle();
        await turn();
      }
      await Promise.all(run.flushes);
      expect(sink.stored.map(({ type }) => Number(type))).toEqual(
        Array.from({ length: recorded }, (_, number) => number),
      );
      expect(sink.largest).toBeLessThanOrEqual(9);
      const { stored, failed, queued } = scene.core.processing;
      expect({ stored, failed, queued }).toEqual({ stored: recorded, failed: 0, queued: 0 });
    }),
    { numRuns: 150 },
  );
});
