import type { Pid } from "../../base/pid.ts";
import type { ProcessRuntime } from "../runtime.ts";
import { besideOf, type Neighbours, type Topology } from "./topology.ts";
import type { Member } from "./work-pool.ts";

/** Tells workers whom they have beside them, when that has changed. */
export class Neighbourhood {
  readonly #runtime: ProcessRuntime;
  readonly #ecosystem: Pid;
  readonly #topology: Topology;
  /** What each was told last, by its pid. */
  #told = new Map<string, string>();
  #hasBegun = false;

  constructor(runtime: ProcessRuntime, ecosystem: Pid, topology: Topology) {
    this.#runtime = runtime;
    this.#ecosystem = ecosystem;
    this.#topology = topology;
  }

  /** All have started: from now on everybody is told. */
  begin(members: readonly Member[]): void {
    this.#hasBegun = true;
    this.tell(members);
  }

  /** Tells those for whom something has changed. */
  tell(members: readonly Member[]): void {
    if (!this.#hasBegun || this.#topology === "star") return;
    const up = members.flatMap(({ pid, isDraining }) => {
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
      // A full mailbox must not leave a ring open: it is told again at the next change.
      if (!this.#runtime.send(pid, message)) told.delete(key);
    }
    this.#told = told;
  }
}
