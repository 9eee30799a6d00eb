import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { ChildOptions } from "../child-spec.ts";
import type { LightProcess } from "../process.ts";
import type { ProcessRuntime } from "../runtime.ts";
import { startProcess } from "../start-process.ts";
import { supervisor } from "../supervisor.ts";
import type { Supervisors } from "../supervisors.ts";
import type { EcosystemPlan } from "./ecosystem-plan.ts";
import { Healing } from "./healing.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { within } from "./waiting.ts";
import type { WorkPool } from "./work-pool.ts";

/** What a crew stands on. */
export interface CrewGround {
  readonly runtime: ProcessRuntime;
  readonly supervisors: Supervisors;
  readonly nowMs: () => number;
}

/** The workers of an ecosystem and the supervisor that keeps them. */
export class Crew {
  readonly #plan: EcosystemPlan;
  readonly #ground: CrewGround;
  readonly #pool: WorkPool;
  readonly #owner: LightProcess;
  readonly #neighbourhood: Neighbourhood;
  readonly #healing: Healing | undefined;
  #supervisor: Pid | undefined;
  #serial = 0;
  #isStopping = false;
  #isReleased = false;

  /** `owner`: the process of the ecosystem, which its supervisor ends with. */
  constructor(plan: EcosystemPlan, ground: CrewGround, pool: WorkPool, owner: LightProcess) {
    const { runtime, nowMs } = ground;
    this.#plan = plan;
    this.#ground = ground;
    this.#pool = pool;
    this.#owner = owner;
    this.#neighbourhood = new Neighbourhood(runtime, owner.pid, plan.topology, pool.members);
    if (plan.faultTolerance === "standard") return;
    this.#healing = new Healing(nowMs, async () => this.#supervise(this.#remaining()));
  }

  /** Times that all of them were started anew. */
  get healings(): number {
    return this.#healing?.count ?? 0;
  }

  /** Starts the workers; resolves when all have. */
  async begin(): Promise<void> {
    const { runtime } = this.#ground;
    runtime.watch(this.#owner.pid, () => {
      this.#isStopping = true;
      this.#healing?.stop();
      // One that is not linked to it learns it so.
      const supervisor = this.#supervisor;
      if (supervisor !== undefined) runtime.exit(this.#owner.pid, supervisor, "shutdown");
    });
    await this.#supervise(Array.from({ length: this.#plan.first }, () => this.#nextId()));
    this.#neighbourhood.begin();
  }

  async #supervise(ids: readonly string[]): Promise<void> {
    const { runtime } = this.#ground;
    const { strategy, intensity, backoff } = this.#plan.supervision;
    const children = ids.map((id) => this.#child(id));
    const rules = {
      children,
      ...(strategy !== undefined && { strategy }),
      ...(intensity !== undefined && { intensity }),
      ...(backoff !== undefined && { backoff }),
    };
    const { pid } = this.#owner;
    const isLinked = this.#healing === undefined;
    const parent = isLinked ? { process: this.#owner, pid } : { pid };
    const options = { label: "EcosystemSupervisor" };
    const started = await startProcess(runtime, supervisor(rules), options, parent);
    this.#supervisor = started;
    if (this.#isStopping) return runtime.exit(pid, started, "shutdown");
    runtime.watch(started, () => this.#healing?.begin());
  }

  /** Those that a supervisor which gave up has left. */
  #remaining(): readonly string[] {
    const members = this.#pool.members.filter(({ isDraining }) => !isDraining);
    return members.map(({ id }) => id);
  }

  #nextId(): string {
    return `worker-${++this.#serial}`;
  }

  #child(id: string): ChildOptions {
    const { shutdown } = this.#plan.supervision;
    const startWith = async (parent: unknown): Promise<Pid> => {
      return this.#startWorker(id, parent as LightProcess);
    };
    return { id, startWith, ...(shutdown !== undefined && { shutdown }) };
  }

  async #startWorker(id: string, parent: LightProcess): Promise<Pid> {
    const { runtime } = this.#ground;
    const { start, args } = this.#plan;
    const pid = await startProcess(runtime, start, { args }, { process: parent, pid: parent.pid });
    runtime.watch(pid, () => {
      this.#pool.down(id, pid);
      this.#neighbourhood.tell();
    });
    this.#pool.up(id, pid);
    this.#neighbourhood.tell();
    return pid;
  }

  /** Starts one more; answers with its id. */
  async add(): Promise<string> {
    if (this.#pool.members.length >= this.#plan.max) {
      const text = `the ecosystem has its ${this.#plan.max} workers`;
      throw new FoundationError("too_many_children", text);
    }
    const id = this.#nextId();
    await this.#ground.supervisors.startChild(this.#supervisor as Pid, this.#child(id));
    return id;
  }

  /** Ends one once it has done what it has; after `graceMs` others do that. */
  async remove(id: string, graceMs: number): Promise<void> {
    const member = this.#pool.member(id);
    if (member === undefined || member.isDraining) {
      throw new FoundationError("unknown_child", `there is no worker '${id}'`);
    }
    const staying = this.#pool.members.filter(({ isDraining }) => !isDraining).length;
    if (staying <= this.#plan.min) {
      const text = `the ecosystem keeps ${this.#plan.min} workers (\`workers.min\`)`;
      throw new FoundationError("invalid_options", text);
    }
    member.isDraining = true;
    this.#neighbourhood.tell();
    await within(
      graceMs,
      this.#pool.until(() => member.inFlight.size === 0),
    );
    await this.#end(id);
    this.#pool.forget(id);
  }

  async #end(id: string): Promise<void> {
    const { supervisors } = this.#ground;
    try {
      await supervisors.terminateChild(this.#supervisor as Pid, id);
      await supervisors.deleteChild(this.#supervisor as Pid, id);
    } catch (thrown) {
      // A supervisor that gave up has ended it; the next one does not know it.
      const isGone = thrown instanceof FoundationError && GONE.includes(thrown.code);
      if (!isGone || this.#healing === undefined) throw thrown;
    }
  }

  /** Lets the workers end without the ecosystem, which has a reason of its own. */
  release(): void {
    this.#isReleased = true;
    if (this.#supervisor !== undefined) this.#owner.unlink(this.#supervisor);
  }

  /** Ends the workers, in reverse order; kills what is left of them after `graceMs`. */
  async stop(graceMs: number): Promise<{ readonly killed: number }> {
    const { runtime } = this.#ground;
    this.#isStopping = true;
    this.#healing?.stop();
    const supervisor = this.#supervisor;
    if (supervisor === undefined) return { killed: 0 }; // it did not start
    const ended = new Promise<void>((resolve) => runtime.watch(supervisor, () => resolve()));
    runtime.stop(supervisor, "shutdown");
    const isOver = await within(graceMs, ended);
    const late = isOver ? [] : this.#pool.members.filter(({ pid }) => pid !== undefined);
    for (const { pid } of late) runtime.exit(this.#owner.pid, pid as Pid, "kill");
    await ended;
    if (!this.#isReleased) this.#owner.end("shutdown"); // which the link to its supervisor does too
    return { killed: late.length };
  }
}

/** What a call to a supervisor that is gone ends with. */
const GONE: readonly string[] = ["noproc", "process_exited", "unknown_child"];
