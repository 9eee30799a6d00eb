import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { ProcessRuntime } from "../runtime.ts";
import { startProcess } from "../start-process.ts";
import type { Blueprint } from "../startable.ts";
import type { Supervisors } from "../supervisors.ts";
import { Ecosystem, type EcosystemClock } from "./ecosystem.ts";
import { ecosystemPlan } from "./ecosystem-plan.ts";
import {
  ECOSYSTEM_SHUTDOWN_DEFAULTS,
  type EcosystemHealth,
  type EcosystemInfo,
  type EcosystemOptions,
  type EcosystemShutdown,
  type EcosystemShutdownOptions,
  type EcosystemWorkerInfo,
} from "./ecosystem-types.ts";
import type { EcosystemCluster } from "./places.ts";

const CLOCK: EcosystemClock = Object.freeze({
  nowMs: () => performance.now(),
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
  every: (intervalMs: number, look: () => void) => {
    const timer = setInterval(look, intervalMs).unref();
    return () => clearInterval(timer);
  },
});

/**
 * Ecosystems: a process that takes work, and workers that do it under a supervisor. What is sent
 * to an ecosystem's pid with `send`, `cast` or `call`, from wherever, one of its workers handles as
 * if it had been sent to it. Everything here is asked in the isolate that started the ecosystem.
 */
export class Ecosystems {
  readonly #runtime: ProcessRuntime;
  readonly #supervisors: Supervisors;
  readonly #clock: EcosystemClock;
  readonly #cluster: EcosystemCluster;
  readonly #byPid = new Map<number, Ecosystem>();

  constructor(
    runtime: ProcessRuntime,
    supervisors: Supervisors,
    cluster: EcosystemCluster,
    clock: EcosystemClock = CLOCK,
  ) {
    this.#runtime = runtime;
    this.#supervisors = supervisors;
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /**
   * Starts an ecosystem; resolves once its workers have started.
   *
   * @returns the pid that takes the work
   * @throws FoundationError `invalid_options`; `init_failed` where a worker did not start;
   *   `name_taken`, `name_refused`, `node_left`
   */
  async spawnEcosystem(name: string, options: EcosystemOptions): Promise<Pid>;
  async spawnEcosystem(options: EcosystemOptions): Promise<Pid>;
  async spawnEcosystem(first: string | EcosystemOptions, second?: EcosystemOptions): Promise<Pid> {
    const options = typeof first === "string" ? { ...second, name: first } : first;
    const plan = ecosystemPlan(options as EcosystemOptions);
    const ground = {
      runtime: this.#runtime,
      supervisors: this.#supervisors,
      clock: this.#clock,
      cluster: this.#cluster,
    };
    const ecosystem = new Ecosystem(plan, ground);
    const start: Blueprint = { label: "Ecosystem", isSupervisor: true, make: () => ecosystem };
    const mailbox = { messagesMax: plan.coordinator.queueMax };
    const named = plan.name === undefined ? {} : { name: plan.name };
    const pid = await startProcess(this.#runtime, start, { mailbox, ...named });
    this.#byPid.set(pid.serial, ecosystem);
    this.#runtime.watch(pid, () => this.#byPid.delete(pid.serial));
    return pid;
  }

  /**
   * What an ecosystem is and does at this moment.
   *
   * @throws FoundationError `unknown_ecosystem`
   */
  ecosystemInfo(ecosystem: Pid | string): EcosystemInfo {
    return this.#find(ecosystem).info();
  }

  /**
   * How well it does, and by which figures.
   *
   * @throws FoundationError `unknown_ecosystem`
   */
  ecosystemHealth(ecosystem: Pid | string): EcosystemHealth {
    return this.#find(ecosystem).health();
  }

  /**
   * Its workers, oldest first.
   *
   * @throws FoundationError `unknown_ecosystem`
   */
  listWorkers(ecosystem: Pid | string): readonly EcosystemWorkerInfo[] {
    return this.#find(ecosystem).info().workers;
  }

  /**
   * Starts one more worker.
   *
   * @returns its id
   * @throws FoundationError `unknown_ecosystem`, `too_many_children` at `workers.max`,
   *   `init_failed`
   */
  async addWorker(ecosystem: Pid | string): Promise<string> {
    return this.#find(ecosystem).addWorker();
  }

  /**
   * Ends a worker: it gets no more work and ends once it has done what it has. After `graceMs` it
   * is ended all the same, and the others do that.
   *
   * @throws FoundationError `unknown_ecosystem`, `unknown_child`, `invalid_options` at
   *   `workers.min`
   */
  async removeWorker(
    ecosystem: Pid | string,
    id: string,
    options: EcosystemShutdownOptions = {},
  ): Promise<void> {
    return this.#find(ecosystem).removeWorker(id, graceOf(options));
  }

  /**
   * Ends an ecosystem: it takes no more work (`ecosystem_closing`), has `graceMs` for what it has
   * taken and for the end of its workers, and kills them then. Resolves when all are gone.
   *
   * @throws FoundationError `unknown_ecosystem`
   */
  async shutdownEcosystem(
    ecosystem: Pid | string,
    options: EcosystemShutdownOptions = {},
  ): Promise<EcosystemShutdown> {
    return this.#find(ecosystem).shutdown(graceOf(options));
  }

  #find(ecosystem: Pid | string): Ecosystem {
    const process =
      typeof ecosystem === "string"
        ? this.#runtime.named(ecosystem)
        : this.#runtime.find(ecosystem);
    const found = process === undefined ? undefined : this.#byPid.get(process.pid.serial);
    if (found !== undefined) return found;
    const text = `there is no ecosystem ${ecosystem} of this isolate`;
    throw new FoundationError("unknown_ecosystem", text);
  }
}

function graceOf({
  graceMs = ECOSYSTEM_SHUTDOWN_DEFAULTS.graceMs,
}: EcosystemShutdownOptions): number {
  if (graceMs >= 0) return graceMs;
  throw new FoundationError("invalid_options", "graceMs must be at least 0");
}
