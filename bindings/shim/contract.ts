/**
 * What the C++ shim exports: memory of the core as SharedArrayBuffers, which Node-API cannot make,
 * and interrupts of isolates. The core gets its own way to them when it is connected.
 * The shim is bound to one Node ABI and may be absent; ask `capabilities().sharedAllocation`.
 *
 * Every function throws an `Error` with a `code` of {@link ShimErrorCode}. All of them may be
 * called in any worker; the blocks belong to the process.
 */
export interface Shim {
  /**
   * Ties the shim to the core of this process. Each worker may call it again with the same table.
   *
   * @param vtable the address that the core's `coreVtable()` returned
   */
  connect(vtable: bigint): void;

  /**
   * A zeroed block of the core. It is freed when no isolate reaches its buffer any more and the
   * core holds no reference of its own.
   *
   * @param bytes whole number from 1 to 4 GiB - 1
   */
  allocateShared(bytes: number): SharedBlock;

  /** The memory of an existing block; every isolate that opens an id sees the same bytes. */
  openShared(id: bigint): SharedArrayBuffer;

  /** Figures of the process, except `isolateExternalBytes`. */
  stats(): ShimStatistics;

  /** Lets other isolates interrupt this one; answers with its number in the process. */
  watchIsolate(): number;

  /**
   * Asks an isolate for a report, which it makes between two steps of its JavaScript. Answers with
   * the number of the request, 0 where the isolate is gone.
   */
  interrupt(isolate: number): number;

  /** The report that answers a request, or a later one; `undefined` so far. */
  takeReport(isolate: number, request: number): IsolateReport | undefined;

  /** Ends a worker, whatever it runs; false where it is gone. */
  terminate(isolate: number): boolean;
}

/** What an isolate said of itself when it was interrupted. */
export interface IsolateReport {
  /** One line for each frame of JavaScript, the innermost first. */
  readonly stack: string;
  readonly usedHeapBytes: number;
  readonly totalHeapBytes: number;
  readonly heapLimitBytes: number;
  /** Memory outside of the heap that its objects keep, array buffers included. */
  readonly externalBytes: number;
  readonly mallocedBytes: number;
}

/** A block and the name under which other isolates and the core know it. */
export interface SharedBlock {
  readonly id: bigint;
  readonly buffer: SharedArrayBuffer;
}

/** `live` is `allocated + retained - released`: references of the core that JavaScript holds. */
export interface ShimStatistics {
  readonly isConnected: boolean;
  /** Blocks made by `allocateShared`. */
  readonly allocated: number;
  /** Opens that took a reference from the core. */
  readonly retained: number;
  /** Opens served from a backing store that the process already had. */
  readonly shared: number;
  /** References given back to the core. */
  readonly released: number;
  /** Calls that ended in an error of the core. */
  readonly refused: number;
  readonly live: number;
  readonly liveBytes: number;
  /** Bytes that press on the garbage collector of the calling isolate. */
  readonly isolateExternalBytes: number;
}

/** The closed set of the shim's error codes. */
export type ShimErrorCode =
  | "shim_invalid_argument"
  | "shim_not_connected"
  | "shim_version_mismatch"
  | "shim_vtable_incomplete"
  | "shim_connected_elsewhere"
  | "shared_block_out_of_memory"
  | "shared_block_gone"
  | "shared_block_unusable";
