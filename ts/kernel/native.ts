import { loadCore, loadShim, type NativeCore } from "../../bindings/load.ts";
import type { Shim } from "../../bindings/shim/contract.ts";
import { FoundationError, native } from "../base/errors.ts";

/**
 * The native core. Loaded once an isolate; the main thread loads it first (see `Foundation.start`).
 */
export const core: NativeCore = loadCore();

let shim: Shim | null | undefined;

/** The C++ shim tied to the core, or `undefined` where it was not built for this Node. */
export function sharedShim(): Shim | undefined {
  if (shim === undefined) {
    shim = loadShim() ?? null;
    if (shim !== null) native(() => shim?.connect(core.coreVtable()));
  }
  return shim ?? undefined;
}

/** Memory of the core as a SharedArrayBuffer, and the number under which other isolates open it. */
export interface SharedBlock {
  readonly id: bigint;
  readonly buffer: SharedArrayBuffer;
}

/**
 * The C++ shim, where an operation needs it.
 *
 * @throws FoundationError `shim_missing`
 */
export function neededShim(): Shim {
  const found = sharedShim();
  if (found !== undefined) return found;
  throw new FoundationError(
    "shim_missing",
    `no C++ shim for Node ABI ${process.versions.modules}; ` +
      "capabilities().sharedAllocation tells beforehand",
  );
}

/**
 * Allocates zeroed shared memory of the core, freed one block at a time, unlike the arena. Unit:
 * bytes.
 *
 * @throws FoundationError `shim_missing` where this installation cannot
 */
export function allocateShared(bytes: number): SharedBlock {
  return neededShim().allocateShared(bytes);
}

/**
 * Opens a block of {@link allocateShared} in any isolate of the process.
 *
 * @throws FoundationError `shim_missing` where this installation cannot; Error `shared_block_gone`
 */
export function openShared(id: bigint): SharedArrayBuffer {
  return neededShim().openShared(id);
}

/** What this installation can do beyond the ABI-stable core. */
export interface Capabilities {
  /** SharedArrayBuffers can be allocated by the core (the C++ shim is there). */
  readonly sharedAllocation: boolean;
  /** Isolates can be interrupted: their stacks, their memory, their end (the C++ shim is there). */
  readonly interrupts: boolean;
  /** A stalled event loop is seen and shown as `busy`. */
  readonly busyDetection: boolean;
  /** An isolate can poll the connections of a node: `io: "isolate"`. */
  readonly isolateIo: boolean;
}

/** Tells what this installation can do. */
export function capabilities(): Capabilities {
  const hasShim = sharedShim() !== undefined;
  return {
    sharedAllocation: hasShim,
    interrupts: hasShim,
    busyDetection: core.hasLoopWatch(),
    isolateIo: core.hasIsolateIo(),
  };
}
