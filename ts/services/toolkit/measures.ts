import { loadavg } from "node:os";
import { getHeapStatistics } from "node:v8";

/** A result and how long it took. */
export interface Measured<T> {
  readonly result: T;
  /** Unit: µs. */
  readonly durationUs: number;
}

/** Runs a function, synchronous or not, and tells how long it took. */
export function measure<T>(run: () => Promise<T>): Promise<Measured<T>>;
export function measure<T>(run: () => T): Measured<T>;
export function measure<T>(run: () => T | Promise<T>): Measured<T> | Promise<Measured<T>> {
  const startMs = performance.now();
  const done = (result: T): Measured<T> => {
    return { result, durationUs: (performance.now() - startMs) * 1_000 };
  };
  const result = run();
  return result instanceof Promise ? result.then(done) : done(result);
}

/** A result and by how much the isolate's memory changed. */
export interface MeasuredMemory<T> {
  readonly result: T;
  /** Unit: bytes of heap in use; negative where the collector ran. */
  readonly heapDeltaBytes: number;
  /** Unit: bytes outside the heap, of buffers for instance. */
  readonly externalDeltaBytes: number;
}

/** Runs a function and tells by how much memory grew. The collector may run in between. */
export function measureMemory<T>(run: () => T): MeasuredMemory<T> {
  const before = process.memoryUsage();
  const result = run();
  const after = process.memoryUsage();
  return {
    result,
    heapDeltaBytes: after.heapUsed - before.heapUsed,
    externalDeltaBytes: after.external - before.external,
  };
}

/** Figures of this operating-system process. Times: ms; memory: bytes. */
export function processStats(): Readonly<Record<string, number>> {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    pid: process.pid,
    uptimeMs: process.uptime() * 1_000,
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    arrayBufferBytes: arrayBuffers,
    userCpuMs: user / 1_000,
    systemCpuMs: system / 1_000,
  };
}

/** Figures of the machine and the engine. Memory: bytes; `loadAverage`: of one minute. */
export function systemStats(): Readonly<Record<string, number | string>> {
  const heap = getHeapStatistics();
  const [loadAverage = 0] = loadavg();
  return {
    nodeVersion: process.versions.node,
    v8Version: process.versions.v8,
    platform: process.platform,
    architecture: process.arch,
    loadAverage,
    heapLimitBytes: heap.heap_size_limit,
    heapTotalBytes: heap.total_heap_size,
    contexts: heap.number_of_native_contexts,
  };
}
