import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import { cgroupMemory } from "../../../beam/memory/cgroup.ts";
import type { Probe, Reporter } from "./reporter.ts";

const SECONDS_PER_US = 1e-6;

const SPACE_USED = ["vm", "heap", "space_used_bytes"];
const SPACE_SIZE = ["vm", "heap", "space_size_bytes"];
const CPU = ["process", "cpu_seconds"];

/** Figures of the heap of an isolate, by the last word of their names. */
const HEAP: Readonly<Record<string, string>> = {
  used_bytes: "Memory of the heap in use",
  total_bytes: "Memory of the heap",
  limit_bytes: "What the heap may grow to",
  malloced_bytes: "Memory that V8 has allocated outside of the heap",
  external_bytes: "Memory outside of the heap that objects keep",
  array_buffer_bytes: "Memory of array buffers, part of the external memory",
  native_contexts: "Global objects; more and more of them are a leak",
  detached_contexts: "Global objects that something still refers to",
};

/** Figures of the process, by the last word of their names. */
const PROCESS: Readonly<Record<string, string>> = {
  resident_bytes: "Memory of the process that is in RAM",
  cgroup_used_bytes: "Memory that the control group of the process uses",
  cgroup_limit_bytes: "Memory that the control group of the process may use",
};

/** Where the memory of an isolate is; in the isolate that has started the node, of the process. */
export class MemoryProbe implements Probe {
  readonly #reporter: Reporter;
  readonly #isRoot: boolean;

  constructor(reporter: Reporter, isRoot: boolean) {
    this.#reporter = reporter;
    this.#isRoot = isRoot;
    for (const [word, help] of Object.entries(HEAP)) reporter.describe(["vm", "heap", word], help);
    reporter.describe(SPACE_USED, "Memory of a space of the heap in use", ["space"]);
    reporter.describe(SPACE_SIZE, "Memory of a space of the heap", ["space"]);
    if (!isRoot) return;
    for (const [word, help] of Object.entries(PROCESS)) reporter.describe(["process", word], help);
    reporter.describe(CPU, "Time of processors that the process took", ["mode"]);
  }

  sample(): void {
    const heap = getHeapStatistics();
    const { rss, arrayBuffers } = process.memoryUsage();
    this.#report(["vm", "heap"], {
      used_bytes: heap.used_heap_size,
      total_bytes: heap.total_heap_size,
      limit_bytes: heap.heap_size_limit,
      malloced_bytes: heap.malloced_memory,
      external_bytes: heap.external_memory,
      array_buffer_bytes: arrayBuffers,
      native_contexts: heap.number_of_native_contexts,
      detached_contexts: heap.number_of_detached_contexts,
    });
    for (const { space_name: space, space_used_size, space_size } of getHeapSpaceStatistics()) {
      this.#reporter.gauge(SPACE_USED, space_used_size, { space });
      this.#reporter.gauge(SPACE_SIZE, space_size, { space });
    }
    if (this.#isRoot) this.#sampleProcess(rss);
  }

  end(): void {}

  #sampleProcess(resident_bytes: number): void {
    const group = cgroupMemory();
    this.#report(["process"], {
      resident_bytes,
      cgroup_used_bytes: group?.usedBytes,
      cgroup_limit_bytes: group?.limitBytes,
    });
    const { user, system } = process.cpuUsage();
    this.#reporter.total(CPU, user * SECONDS_PER_US, { mode: "user" });
    this.#reporter.total(CPU, system * SECONDS_PER_US, { mode: "system" });
  }

  #report(prefix: readonly string[], figures: Readonly<Record<string, number | undefined>>): void {
    for (const [word, value] of Object.entries(figures)) {
      this.#reporter.gauge([...prefix, word], value);
    }
  }
}
