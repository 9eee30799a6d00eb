import { availableParallelism } from "node:os";
import { FoundationError } from "../../base/errors.ts";
import {
  CAPTURE_RECORD_BYTES_MAX,
  CAPTURE_RINGS_MAX,
  CAPTURE_SLOTS_MAX,
  type CaptureRingPlan,
} from "../../kernel/capture-ring.ts";

/** Where settings are read from; the configuration service is one. */
export interface CaptureConfigReader {
  /** The value at a path, or the fallback where there is none or nobody can tell. */
  getWithDefault(path: readonly string[], fallback: unknown): unknown;
}

/** How events are taken from the rings; read whenever it is needed, so a change counts at once. */
export interface ProcessingSettings {
  /** Unit: events. */
  readonly batchSize: number;
  /** Unit: ms. */
  readonly flushIntervalMs: number;
  /** Unit: events. */
  readonly queueSize: number;
}

/** What of processes is traced unless `trace` says otherwise. */
export interface TraceSettings {
  readonly spawn: boolean;
  readonly exit: boolean;
  readonly message: boolean;
  readonly children: boolean;
}

/** The section `capture` of the configuration, of one that is not checked yet. */
export type CaptureSection = Readonly<Record<string, unknown>>;

// Those of Foundation 1.x, for where the configuration service is down.
const RING = { size: 1_024, maxEvents: 1_000, overflow: "drop_oldest" } as const;
const PROCESSING = { batchSize: 100, flushInterval: 50, maxQueueSize: 1_000 };
const TRACING = {
  enableSpawnTrace: true,
  enableExitTrace: true,
  enableMessageTrace: false,
  traceChildren: true,
};

const PROCESSING_PATH = ["capture", "processing"];
const TRACING_PATH = ["capture", "vmTracing"];
const RING_PATH = ["capture", "ringBuffer"];

/**
 * How the rings are to be made. A size that is no power of two is rounded up; more events than
 * there are places are as many as there are places.
 *
 * @throws FoundationError `capture_limit`
 */
export function ringsOf(config: CaptureConfigReader, recordBytesMax: number): CaptureRingPlan {
  const ring = section(config, RING_PATH);
  const size = positive(ring["size"]) ?? RING.size;
  const given = ring["numBuffers"];
  const rings = positive(given) ?? Math.min(availableParallelism(), CAPTURE_RINGS_MAX);
  checkLimit("capture.ringBuffer.size", size, CAPTURE_SLOTS_MAX);
  checkLimit("capture.ringBuffer.numBuffers", rings, CAPTURE_RINGS_MAX);
  checkLimit("recordBytesMax", recordBytesMax, CAPTURE_RECORD_BYTES_MAX);
  const slots = Math.max(2, 2 ** Math.ceil(Math.log2(size)));
  const recordsMax = Math.min(positive(ring["maxEvents"]) ?? RING.maxEvents, slots);
  const word = ring["overflowStrategy"];
  const overflow = word === "drop_newest" || word === "block" ? word : RING.overflow;
  return { rings, slots, recordsMax, recordBytesMax, overflow };
}

/** How events are taken from the rings. */
export function processingOf(config: CaptureConfigReader): ProcessingSettings {
  const given = section(config, PROCESSING_PATH);
  return {
    batchSize: positive(given["batchSize"]) ?? PROCESSING.batchSize,
    flushIntervalMs: positive(given["flushInterval"]) ?? PROCESSING.flushInterval,
    queueSize: positive(given["maxQueueSize"]) ?? PROCESSING.maxQueueSize,
  };
}

/** What of processes is traced. */
export function tracingOf(config: CaptureConfigReader): TraceSettings {
  const given = { ...TRACING, ...section(config, TRACING_PATH) };
  return {
    spawn: given.enableSpawnTrace === true,
    exit: given.enableExitTrace === true,
    message: given.enableMessageTrace === true,
    children: given.traceChildren === true,
  };
}

function section(config: CaptureConfigReader, path: readonly string[]): CaptureSection {
  const found = config.getWithDefault(path, {});
  return typeof found === "object" && found !== null ? (found as CaptureSection) : {};
}

function positive(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}

function checkLimit(name: string, value: number, most: number): void {
  if (value <= most) return;
  const text = `${name} is ${value}; at most ${most}`;
  throw new FoundationError("capture_limit", text, { context: { name, value, most } });
}
