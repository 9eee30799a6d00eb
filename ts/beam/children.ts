import type { Pid } from "../base/pid.ts";
import type { ChildSpec } from "./child-spec.ts";
import type { LightProcess } from "./process.ts";
import type { Self } from "./process-types.ts";
import type { ProcessRuntime } from "./runtime.ts";
import type { Notice } from "./signals.ts";
import { startProcess } from "./start-process.ts";
import type { Startable } from "./startable.ts";
import type { TimerRef } from "./timers.ts";

/** Starts and ends the children of one supervisor. */
export class Children {
  readonly #runtime: ProcessRuntime;
  readonly #supervisor: LightProcess;

  constructor(supervisor: Self) {
    this.#supervisor = supervisor as LightProcess;
    this.#runtime = this.#supervisor.runtime;
  }

  /** Whether the supervisor was killed: what it was doing is nobody's concern any more. */
  get areAbandoned(): boolean {
    return this.#supervisor.isDead;
  }

  /** Tells the supervisor something later. */
  noticeAfter(delayMs: number, notice: Notice): TimerRef {
    return this.#supervisor.noticeAfter(delayMs, notice);
  }

  /**
   * Starts a child that is linked to the supervisor.
   *
   * @throws what its start throws; FoundationError `init_failed` with the reason, `process_exited`
   *   where the supervisor was killed meanwhile
   */
  async start(spec: ChildSpec): Promise<Pid> {
    this.#supervisor.mustLive();
    if (spec.startWith !== undefined) {
      const pid = await spec.startWith(this.#supervisor);
      // Nobody else knows of it.
      if (this.areAbandoned) await this.stop(pid, spec.shutdownMs);
      this.#supervisor.mustLive();
      this.#supervisor.link(pid);
      return pid;
    }
    const isTemporary = spec.restart === "temporary";
    const parent = { process: this.#supervisor, pid: this.#supervisor.pid, isTemporary };
    return startProcess(this.#runtime, spec.start as Startable, spec.options, parent);
  }

  /** Ends a child: asks it to, gives it its time, then kills it. Resolves when it is gone. */
  async stop(pid: Pid, shutdownMs: number): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#runtime.watch(pid, () => resolve());
      const kill = (): void => this.#runtime.exit(this.#supervisor.pid, pid, "kill");
      if (shutdownMs === 0) return kill();
      this.#runtime.exit(this.#supervisor.pid, pid, "shutdown");
      if (shutdownMs !== Number.POSITIVE_INFINITY) late = setTimeout(kill, shutdownMs);
    });
    clearTimeout(late);
  }
}
