import { Pid } from "../../base/pid.ts";
import type { CaptureRecord } from "../../kernel/capture-ring.ts";
import type { CapturedEvent, RecordOptions } from "./capture-types.ts";

/** An event as it lies in a ring: what is not known is left out at the end. */
export function packEvent(
  type: string,
  data: unknown,
  pid: Pid | undefined,
  { correlationId, parentId }: RecordOptions,
): unknown[] {
  if (correlationId === undefined && parentId === undefined) {
    return pid === undefined ? [type, data] : [type, data, pid];
  }
  return [type, data, pid, correlationId, parentId];
}

/** The event of a record. */
export function unpackEvent({ timestampMs, sequence, value }: CaptureRecord): CapturedEvent {
  const [type, data, pid, correlationId, parentId] = value as unknown[];
  return {
    type: type as string,
    data,
    timestampMs,
    sequence,
    pid: pid instanceof Pid ? pid : undefined,
    correlationId: correlationId as string | undefined,
    parentId: parentId as number | undefined,
  };
}

/** Puts a batch into the order of its stamps, where isolates overtook each other. */
export function inOrder(batch: CapturedEvent[]): CapturedEvent[] {
  const isSorted = batch.every((event, at) => at === 0 || compare(batch[at - 1], event) <= 0);
  return isSorted ? batch : batch.sort(compare);
}

function compare(a: CapturedEvent | undefined, b: CapturedEvent | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return a.timestampMs - b.timestampMs || a.sequence - b.sequence;
}
