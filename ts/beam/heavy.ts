import { FoundationError } from "../base/errors.ts";
import { checkKeys } from "../base/option-checks.ts";
import { STALL_MS_MIN } from "./limits.ts";
import { moduleName } from "./module-names.ts";

/**
 * A process with an isolate of its own: its heap has a limit, and it can be killed in an endless
 * loop. Defaults: {@link HEAVY_DEFAULTS}.
 */
export interface HeavyOptions {
  /**
   * Built JavaScript that exports what is started: a URL (`new URL("./parser.js",
   * import.meta.url)`), or the name of a package.
   */
  readonly module: URL | string;
  /** Name of the export: a server class, a handler, a body or a blueprint. */
  readonly export?: string;
  /** Limit of the isolate's heap; above it the process ends. Unit: MiB. Default: V8's own. */
  readonly heapMiB?: number;
  /**
   * Size of the isolate's young generation, of which a third is filled between two minor
   * collections: small ones are short and many, large ones few. Unit: MiB. Default: V8's own.
   */
  readonly youngMiB?: number;
  /**
   * Longest time without a poll of its event loop; at least 50. A process above it is killed, with
   * the reason `{ kind: "stalled", stallMs, stack }`. Unit: ms. Default: none.
   */
  readonly stallMs?: number;
  /**
   * Limit of the memory outside of its heap: buffers, and what else its objects keep there. A
   * process above it is killed, with the reason `{ kind: "offHeap", limitBytes, externalBytes }`.
   * Unit: MiB. Default: none.
   */
  readonly offHeapMiB?: number;
  /** Longest wait for its start, module and `init` included. Unit: ms. */
  readonly startTimeoutMs?: number;
}

/** How a heavy process is started unless its options say otherwise. */
export const HEAVY_DEFAULTS = Object.freeze({
  export: "default", // as `import` without braces
  startTimeoutMs: 30_000, // an isolate starts in 50 ms; what its module does is not known
});

const HEAVY_KEYS: readonly (keyof HeavyOptions)[] = [
  "module",
  "export",
  "heapMiB",
  "youngMiB",
  "stallMs",
  "offHeapMiB",
  "startTimeoutMs",
];

/** What a heavy process is started from, as a process or as the child of a supervisor. */
export interface HeavyBlueprint extends HeapLimits {
  readonly kind: "heavy";
  readonly module: string;
  readonly export: string;
  readonly stallMs: number | undefined;
  readonly offHeapMiB: number | undefined;
  readonly startTimeoutMs: number;
}

/**
 * Says that something is started as a heavy process: `start(heavy({ module }), { args })`.
 *
 * @throws FoundationError `invalid_options`
 */
export function heavy(options: HeavyOptions): HeavyBlueprint {
  checkKeys("the options of heavy", options, HEAVY_KEYS);
  const {
    module,
    heapMiB,
    youngMiB,
    stallMs,
    offHeapMiB,
    startTimeoutMs = HEAVY_DEFAULTS.startTimeoutMs,
  } = options;
  checkHeap({ heapMiB, youngMiB });
  if (stallMs !== undefined && !(stallMs >= STALL_MS_MIN)) {
    refuse(`stallMs must be at least ${STALL_MS_MIN}`);
  }
  if (offHeapMiB !== undefined && !(offHeapMiB > 0)) refuse("offHeapMiB must be above 0");
  if (!(startTimeoutMs > 0)) refuse("startTimeoutMs must be above 0");
  return Object.freeze({
    kind: "heavy",
    module: moduleName(module),
    export: options.export ?? HEAVY_DEFAULTS.export,
    heapMiB,
    youngMiB,
    stallMs,
    offHeapMiB,
    startTimeoutMs,
  });
}

/** Whether something that can be started is a heavy process. */
export function isHeavy(value: unknown): value is HeavyBlueprint {
  return typeof value === "object" && value !== null && Reflect.get(value, "kind") === "heavy";
}

/** Limits of an isolate's heap: V8 fixes them as it begins. */
export interface HeapLimits {
  readonly heapMiB: number | undefined;
  readonly youngMiB: number | undefined;
}

/**
 * Checks the limits of an isolate's heap.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkHeap({ heapMiB, youngMiB }: HeapLimits): void {
  if (heapMiB !== undefined && !(heapMiB >= 4)) refuse("heapMiB must be at least 4");
  if (youngMiB !== undefined && !(youngMiB >= 1)) refuse("youngMiB must be at least 1");
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
