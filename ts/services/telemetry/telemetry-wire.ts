import type { Pid } from "../../base/pid.ts";
import type { NamedPart } from "./metric-store.ts";
import { Sketch, type SketchData } from "./sketch.ts";

/** The name that the isolate with the node's telemetry options is found under. */
export const TELEMETRY_AUTHORITY_NAME = "$foundation.telemetry";

/** A page ends with the series that goes beyond it: it travels inside a ring. Unit: bytes. */
const PAGE_BYTES_MAX = 48 << 10;
/** What a series is counted with besides its texts and numbers. Unit: bytes. */
const PART_BYTES = 128;
/** A bucket's number and count. Unit: bytes. */
const BUCKET_BYTES = 8;

/** What isolates of a node ask each other. */
export type TelemetryRequest =
  | { readonly op: "follow"; readonly follower: Pid }
  | { readonly op: "isolates" }
  | { readonly op: "page"; readonly after: number };

/** A series on its way. Its metadata stay: they are whatever somebody measured. */
export interface WirePart extends Omit<NamedPart, "sketches" | "metadata"> {
  readonly sketches: Readonly<Record<string, SketchData>>;
}

/** Some series of an isolate. */
export interface MetricsPage {
  readonly parts: readonly WirePart[];
  /** Number of the last one, where more follow. */
  readonly next: number | undefined;
  /** Code of what kept the isolate from answering. */
  readonly error: string | undefined;
}

/** As many series, in the order of their numbers, as fit into a message. */
export function pageOf(parts: Iterable<readonly [id: number, part: NamedPart]>): MetricsPage {
  const taken: WirePart[] = [];
  let bytes = 0;
  for (const [id, part] of parts) {
    const wire = toWire(part);
    taken.push(wire);
    bytes += bytesOf(wire);
    if (bytes >= PAGE_BYTES_MAX) return { parts: taken, next: id, error: undefined };
  }
  return { parts: taken, next: undefined, error: undefined };
}

/** The series as they were where they came from. */
export function fromWire(part: WirePart): NamedPart {
  const sketches = Object.entries(part.sketches).map(([key, data]): [string, Sketch] => {
    return [key, Sketch.from(data)];
  });
  return { ...part, metadata: {}, sketches: new Map(sketches) };
}

function toWire({ metadata: _, ...part }: NamedPart): WirePart {
  const sketches = [...part.sketches].map(([key, sketch]) => [key, sketch.toData()] as const);
  return { ...part, sketches: Object.fromEntries(sketches) };
}

function bytesOf({ name, labels, sketches, description }: WirePart): number {
  const texts = [...name, ...Object.entries(labels).flat(), description?.help ?? ""];
  const buckets = Object.values(sketches).map((data) => {
    return (data.positive.length + data.negative.length) * BUCKET_BYTES + PART_BYTES;
  });
  const textBytes = texts.reduce((sum, text) => sum + text.length, 0);
  return buckets.reduce((sum, bytes) => sum + bytes, PART_BYTES + textBytes);
}
