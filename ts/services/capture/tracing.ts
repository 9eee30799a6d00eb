import { FoundationError } from "../../base/errors.ts";
import { checkKeys, checkKind } from "../../base/option-checks.ts";
import { Pid } from "../../base/pid.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import { describeReason, type ExitReason } from "../../beam/signals.ts";
import type { ProcessTracer, TracedProcess } from "../../beam/tracer.ts";
import type { TraceSettings } from "./capture-settings.ts";

/** What of which processes is traced. */
export interface TraceOptions {
  /** Unit: pids of this isolate. Default: all that are alive. */
  readonly processes?: readonly Pid[];
  /** Whether starts are recorded. Unit: switch. Default: `capture.vmTracing.enableSpawnTrace`. */
  readonly spawn?: boolean;
  /** Whether ends are recorded. Unit: switch. Default: `capture.vmTracing.enableExitTrace`. */
  readonly exit?: boolean;
  /**
   * Whether messages are recorded, by kind and not by content. Unit: switch. Default:
   * `capture.vmTracing.enableMessageTrace`.
   */
  readonly message?: boolean;
  /**
   * Whether processes that are started later are traced: all of them, or with `processes` those
   * that a traced one starts. Unit: switch. Default: `capture.vmTracing.traceChildren`.
   */
  readonly children?: boolean;
}

/** The processes of an isolate, as they can be traced. */
export interface TraceableProcesses {
  trace(tracer: ProcessTracer): Unsubscribe;
  list(): Pid[];
  isLocal(pid: Pid): boolean;
}

/** Takes what was traced; must not throw. */
export type TraceRecorder = (type: string, data: object, pid: Pid) => void;

const TRACE_KEYS = ["processes", "spawn", "exit", "message", "children"];

interface Trace extends TraceSettings {
  /** Serials; undefined: every process. */
  readonly serials: Set<number> | undefined;
}

/** Records what processes of this isolate do, for as long as somebody traces them. */
export class Tracing implements ProcessTracer {
  readonly #processes: TraceableProcesses;
  readonly #record: TraceRecorder;
  readonly #settings: () => TraceSettings;
  readonly #traces = new Set<Trace>();
  #untrace: Unsubscribe | undefined;

  /** `settings`: what is traced unless options say otherwise. */
  constructor(processes: TraceableProcesses, record: TraceRecorder, settings: () => TraceSettings) {
    this.#processes = processes;
    this.#record = record;
    this.#settings = settings;
  }

  /** See `Capture.trace`. */
  trace(options: TraceOptions = {}): Unsubscribe {
    checkKeys("trace", options, TRACE_KEYS);
    const { processes, ...kinds } = options;
    for (const [name, value] of Object.entries(kinds)) {
      checkKind(name, value === undefined || typeof value === "boolean", "true or false");
    }
    const settings = { ...this.#settings(), ...defined(kinds) };
    const trace: Trace = { ...settings, serials: this.#serials(processes, settings.children) };
    this.#untrace ??= this.#processes.trace(this);
    this.#traces.add(trace);
    return () => {
      this.#traces.delete(trace);
      if (this.#traces.size === 0) this.close();
    };
  }

  #serials(processes: readonly Pid[] | undefined, children: boolean): Set<number> | undefined {
    if (processes === undefined) {
      // Who wants those that come later, too, wants every one of them.
      return children ? undefined : new Set(this.#processes.list().map(({ serial }) => serial));
    }
    for (const pid of processes) {
      if (pid instanceof Pid && this.#processes.isLocal(pid)) continue;
      const text = `${String(pid)} is no process of this isolate: it is traced where it lives`;
      throw new FoundationError("noproc", text);
    }
    return new Set(processes.map(({ serial }) => serial));
  }

  spawned({ pid, label }: TracedProcess, parent: Pid | undefined): void {
    let isRecorded = false;
    for (const { serials, children, spawn } of this.#traces) {
      if (serials !== undefined) {
        if (!children || parent === undefined || !serials.has(parent.serial)) continue;
        serials.add(pid.serial);
      }
      isRecorded ||= spawn;
    }
    if (isRecorded) this.#record("process_spawn", { label, parent }, pid);
  }

  ended({ pid, label }: TracedProcess, reason: ExitReason): void {
    let isRecorded = false;
    for (const { serials, exit } of this.#traces) {
      // A serial is never used again.
      if (serials === undefined || serials.delete(pid.serial)) isRecorded ||= exit;
    }
    if (!isRecorded) return;
    this.#record("process_exit", { label, reason: describeReason(reason) }, pid);
  }

  received({ pid, label }: TracedProcess, kind: string, message: unknown): void {
    for (const { serials, message: isWanted } of this.#traces) {
      if (!isWanted || serials?.has(pid.serial) === false) continue;
      return this.#record("message_receive", { label, kind, message: describe(message) }, pid);
    }
  }

  /** Ends every trace. */
  close(): void {
    this.#traces.clear();
    this.#untrace?.();
    this.#untrace = undefined;
  }
}

function defined<Options extends object>(options: Options): Partial<Options> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<Options>;
}

/** What kind of message it is. Its content may be large, secret or impossible to write down. */
function describe(message: unknown): string {
  if (typeof message !== "object" || message === null) return typeof message;
  const kind: unknown = "kind" in message ? message.kind : undefined;
  if (typeof kind === "string") return kind.slice(0, 100);
  return Object.prototype.toString.call(message).slice(8, -1);
}
