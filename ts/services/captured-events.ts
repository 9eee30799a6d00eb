import { FoundationError } from "../base/errors.ts";
import type { CapturedEvent, CaptureSink } from "./capture/capture-types.ts";
import type { FoundationEvent } from "./events/event-types.ts";
import type { Events } from "./events/events.ts";

/** Parts of a millisecond that a number of today's size can tell apart. */
const PARTS = 4_096;

/** Has captured events stored as events of the node; resolves when a durable log has them. */
export function capturedEvents(events: Pick<Events, "eventWith" | "recordBatch">): CaptureSink {
  const store = async (batch: readonly FoundationEvent[]): Promise<number> => {
    await events.recordBatch(batch);
    return 0;
  };
  return {
    async storeBatch(batch) {
      const made = batch.map((event) => events.eventWith(fieldsOf(event)));
      try {
        return await store(made);
      } catch (thrown) {
        if (isDown(thrown)) throw thrown;
        return storeEach(made, store);
      }
    },
  };
}

function isDown(thrown: unknown): boolean {
  return thrown instanceof FoundationError && thrown.code === "service_unavailable";
}

/** One that cannot be stored must not take the others along. Answers how many could not. */
async function storeEach(
  made: readonly FoundationEvent[],
  store: (batch: readonly FoundationEvent[]) => Promise<number>,
): Promise<number> {
  let failed = 0;
  for (const event of made) {
    try {
      await store([event]);
    } catch {
      failed++;
    }
  }
  return failed;
}

function fieldsOf(event: CapturedEvent): Partial<FoundationEvent> {
  const { type, data, timestampMs, sequence, pid, correlationId, parentId } = event;
  return {
    eventType: type,
    data: data ?? null,
    // Of one millisecond in the order of their counters, as their hybrid time says it.
    timestamp: timestampMs + Math.min(sequence, PARTS - 1) / PARTS,
    wallTime: timestampMs,
    hlc: { ms: timestampMs, counter: sequence },
    pid: pid ?? null,
    correlationId: correlationId ?? null,
    parentId: parentId ?? null,
  };
}
