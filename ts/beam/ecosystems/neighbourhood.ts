import type { Pid } from "../../base/pid.ts";
import type { ProcessRuntime } from "../runtime.ts";
import { besideOf, type Neighbours, type Topology } from "./topology.ts";
import type { Member } from "./work-pool.ts";

/** Tells workers whom they have beside them, when that has changed. */
export class Neighbourhood {
  readonly #runtime: ProcessRuntime;
  readonly #ecosystem: Pid;
  readonly #topology: Topology;
  readonly #members: readonly Member[];
  /** What each was told last, by its pid. */
  #told = new Map<string, string>();
  /** Those whose mailboxes were full: they are told once there is room. */
  readonly #full = new Set<string>();
  #hasBegun = false;

  /** `members`: the list itself, which changes. */
  constructor(
    runtime: ProcessRuntime,
    ecosystem: Pid,
    topology: Topology,
    members: readonly Member[],
  ) {
    this.#runtime = runtime;
    this.#ecosystem = ecosystem;
    this.#topology = topology;
    this.#members = members;
  }

  /** All have started: from now on everybody is told. */
  begin(): void {
    this.#hasBegun = true;
    this.tell();
  }

  /** Tells those for whom something has changed. */
  tell(): void {
    if (!this.#hasBegun || this.#topology === "star") return;
    const up = this.#members.flatMap(({ pid, isDraining }) => {
      return pid === undefined || isDraining ? [] : [pid];
    });
    const told = new Map<string, string>();
    for (const [index, pid] of up.entries()) {
      const beside = besideOf(this.#topology, up, index);
      const key = pid.toString();
      const text = [beside.upstream, beside.downstream, beside.all].map(String).join(" ");
      told.set(key, text);
      if (this.#told.get(key) === text) continue;
      const message: Neighbours = {
        kind: "NEIGHBOURS",
        ecosystem: this.#ecosystem,
        topology: this.#topology,
        ...beside,
      };
      if (this.#runtime.send(pid, message)) continue;
      told.delete(key);
      void this.#tellLater(pid);
    }
    this.#told = told;
  }

  /** A full mailbox must not leave a ring open: whoever has one is told what holds by then. */
  async #tellLater(pid: Pid): Promise<void> {
    const key = pid.toString();
    if (this.#full.has(key)) return;
    this.#full.add(key);
    try {
      await this.#runtime.drained(pid);
    } catch {
      return; // the way there is closed for good: this node has left
    } finally {
      this.#full.delete(key);
    }
    this.tell();
  }
}
