import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { ChildOptions } from "../child-spec.ts";
import { isHeavy } from "../heavy.ts";
import type { LightProcess } from "../process.ts";
import type { ProcessRuntime } from "../runtime.ts";
import { startProcess } from "../start-process.ts";
import { supervisor } from "../supervisor.ts";
import type { Supervisors } from "../supervisors.ts";
import { DistantWorkers } from "./distant-workers.ts";
import type { EcosystemDistribution } from "./distribution-types.ts";
import type { EcosystemPlan } from "./ecosystem-plan.ts";
import { ECOSYSTEM_SHUTDOWN_DEFAULTS } from "./ecosystem-types.ts";
import { Healing } from "./healing.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import type { EcosystemCluster } from "./places.ts";
import { within } from "./waiting.ts";
import type { WorkPayloads } from "./work-payloads.ts";
import type { WorkPool } from "./work-pool.ts";
import type { WorkerStart } from "./worker-start.ts";
import type { WorkerTraits } from "./worker-traits.ts";

/** What a crew stands on. */
export interface CrewGround {
  readonly runtime: ProcessRuntime;
  readonly supervisors: Supervisors;
  readonly nowMs: () => number;
  readonly cluster: EcosystemCluster;
  /** Of `sharedBinaries`. */
  readonly payloads: WorkPayloads | undefined;
}

/** The workers of an ecosystem and the supervisor that keeps them. */
export class Crew {
  readonly #plan: EcosystemPlan;
  readonly #ground: CrewGround;
  readonly #pool: WorkPool;
  readonly #owner: LightProcess;
  readonly #neighbourhood: Neighbourhood;
  readonly #healing: Healing | undefined;
  readonly #distant: DistantWorkers | undefined;
  #supervisor: Pid | undefined;
  #coordinator: Pid | undefined;
  #serial = 0;
  #isStopping = false;
  #isReleased = false;
  #isMoving = false;
  #stopFollowing: () => void = () => {};

  /** `owner`: the process of the ecosystem, which its supervisor ends with. */
  constructor(plan: EcosystemPlan, ground: CrewGround, pool: WorkPool, owner: LightProcess) {
    const { runtime, nowMs } = ground;
    this.#plan = plan;
    this.#ground = ground;
    this.#pool = pool;
    this.#owner = owner;
    this.#neighbourhood = new Neighbourhood(runtime, owner.pid, plan.topology, pool.members);
    const { distribution, faultTolerance } = plan;
    if (distribution !== undefined) {
      this.#distant = new DistantWorkers(distribution, ground.cluster, pool, nowMs);
    }
    if (faultTolerance === "standard") return;
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
      this.#beginStop();
      // One that is not linked to it learns it so.
      const supervisor = this.#supervisor;
      if (supervisor !== undefined) runtime.exit(this.#owner.pid, supervisor, "shutdown");
    });
    this.#stopFollowing = this.#distant?.follow(() => void this.look()) ?? (() => {});
    await this.#supervise(Array.from({ length: this.#plan.first }, () => this.#nextId()));
    this.#neighbourhood.begin();
  }

  #beginStop(): void {
    this.#isStopping = true;
    this.#healing?.stop();
    this.#stopFollowing();
    this.#distant?.close();
  }

  /** Where the workers are; undefined where they are all here. */
  get distribution(): EcosystemDistribution | undefined {
    return this.#distant?.report();
  }

  /** Asks which nodes there are, and moves a worker where they have changed. */
  async look(): Promise<void> {
    const distant = this.#distant;
    await distant?.look(); // also for those who wait for a node
    const isReady = this.#supervisor !== undefined && !this.#isMoving && !this.#isStopping;
    const move = isReady ? distant?.move() : undefined;
    if (distant === undefined || move === undefined) return;
    this.#isMoving = true;
    try {
      await this.#startChild(move.to);
      await this.remove(move.id, ECOSYSTEM_SHUTDOWN_DEFAULTS.graceMs);
      distant.hasMoved();
    } catch {
      // A node that is gone again, or a shutdown: the next look sees what holds then.
    } finally {
      this.#isMoving = false;
    }
  }

  async #supervise(ids: readonly string[]): Promise<void> {
    const { runtime } = this.#ground;
    const { strategy, intensity, backoff } = this.#plan.supervision;
    const children = [...this.#coordinatorChild(), ...ids.map((id) => this.#child(id))];
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

  /** The process that coordinates; undefined where there is none, or it is down. */
  get coordinator(): Pid | undefined {
    return this.#coordinator;
  }

  /** It stands in front of the workers, which may need it. */
  #coordinatorChild(): readonly ChildOptions[] {
    const { start, args } = this.#plan.coordinator;
    if (start === undefined) return [];
    const { runtime } = this.#ground;
    const startWith = async (parent: unknown): Promise<Pid> => {
      const process = parent as LightProcess;
      const pid = await startProcess(runtime, start, { args }, { process, pid: process.pid });
      this.#coordinator = pid;
      runtime.watch(pid, () => {
        if (this.#coordinator?.equals(pid) === true) this.#coordinator = undefined;
      });
      return pid;
    };
    return [{ id: "coordinator", startWith }];
  }

  /** Those that a supervisor which gave up has left. */
  #remaining(): readonly string[] {
    const members = this.#pool.members.filter(({ isDraining }) => !isDraining);
    return members.map(({ id }) => id);
  }

  #nextId(): string {
    return `worker-${++this.#serial}`;
  }

  /** `wanted`: the node that its first start is for. */
  #child(id: string, wanted?: string): ChildOptions {
    const { shutdown } = this.#plan.supervision;
    let place = wanted;
    const startWith = async (parent: unknown): Promise<Pid> => {
      const at = place;
      place = undefined;
      return this.#startWorker(id, parent as LightProcess, at);
    };
    return { id, startWith, ...(shutdown !== undefined && { shutdown }) };
  }

  async #startWorker(id: string, parent: LightProcess, wanted?: string): Promise<Pid> {
    const { runtime } = this.#ground;
    const pid = await (this.#distant?.start(parent.pid, wanted) ?? this.#startHere(parent));
    runtime.watch(pid, () => {
      this.#pool.down(id, pid);
      this.#neighbourhood.tell();
    });
    this.#pool.up(id, pid);
    this.#neighbourhood.tell();
    return pid;
  }

  async #startHere(process: LightProcess): Promise<Pid> {
    const { start, args } = this.#plan.here as WorkerStart;
    const { runtime, payloads } = this.#ground;
    const parent = { process, pid: process.pid };
    if (!isHeavy(start)) return startProcess(runtime, start, { args }, parent);
    const channel = payloads?.open();
    const isCollecting = this.#plan.memory.gcStrategy === "betweenWork";
    const traits: WorkerTraits = { isCollecting, channel: channel?.name };
    const pid = await startProcess(runtime, start, { args: [...args, traits] }, parent);
    channel?.known(pid.toString());
    runtime.watch(pid, () => payloads?.close(pid.toString()));
    return pid;
  }

  /**
   * Starts one anew once it has done what it has. The supervisor has ended it in order, so that
   * counts for no restart.
   */
  async recycle(id: string): Promise<void> {
    const { supervisors } = this.#ground;
    const member = this.#pool.member(id);
    if (member === undefined || member.isDraining || this.#isStopping) return;
    const { pid } = member;
    member.isRecycling = true;
    await this.#pool.until(() => member.inFlight.size === 0);
    // One that has ended by itself meanwhile is a new one already.
    if (member.pid === undefined || member.pid !== pid || member.isDraining) {
      member.isRecycling = false;
      return;
    }
    try {
      await supervisors.terminateChild(this.#supervisor as Pid, id);
      await this.#startAgain(id);
    } catch {
      // The supervisor is gone, or knows no such worker: whoever ended them sees to the rest.
    }
  }

  async #startAgain(id: string): Promise<void> {
    const { supervisors } = this.#ground;
    while (!this.#isStopping) {
      try {
        await supervisors.restartChild(this.#supervisor as Pid, id);
        return;
      } catch (thrown) {
        const isGone = thrown instanceof FoundationError && GONE.includes(thrown.code);
        const isThere = thrown instanceof FoundationError && thrown.code === "child_exists";
        if (isGone || isThere) throw thrown;
        await within(RESTART_PAUSE_MS, new Promise(() => {}));
      }
    }
  }

  /** Starts one more; answers with its id. */
  async add(): Promise<string> {
    if (this.#pool.members.length >= this.#plan.max) {
      const text = `the ecosystem has its ${this.#plan.max} workers`;
      throw new FoundationError("too_many_children", text);
    }
    return this.#startChild();
  }

  async #startChild(wanted?: string): Promise<string> {
    const id = this.#nextId();
    const child = this.#child(id, wanted);
    await this.#ground.supervisors.startChild(this.#supervisor as Pid, child);
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
    this.#beginStop();
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

/** Between two attempts to start a worker anew. Unit: ms. */
const RESTART_PAUSE_MS = 1_000;

/** What a call to a supervisor that is gone ends with. */
const GONE: readonly string[] = ["noproc", "process_exited", "unknown_child"];
