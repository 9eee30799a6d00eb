import { FoundationError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/typed-events.ts";
import type { ClusterNode } from "../kernel/node.ts";
import type { EcosystemOptions } from "./ecosystems/ecosystem-types.ts";
import { Ecosystems } from "./ecosystems/ecosystems.ts";
import { nodeCluster } from "./ecosystems/node-cluster.ts";
import { Memory } from "./memory/memory.ts";
import { Messages } from "./messages/messages.ts";
import { outwardOf } from "./outward.ts";
import { type BeamPlace, ProcessRoom } from "./process-room.ts";
import { Processes } from "./processes.ts";
import { Schedulers } from "./schedulers/schedulers.ts";
import { Supervisors } from "./supervisors.ts";
import { Tasks } from "./tasks.ts";
import type { StallReport, WatchOptions } from "./watchdog.ts";

/** What the BEAM gives its programs, for one isolate of a node. */
export class Beam {
  /** Processes: spawn, messages, links, monitors, names. */
  readonly processes: Processes;
  /** Supervisors and their children. */
  readonly supervisors: Supervisors;
  /** Processes that do one thing and end. */
  readonly tasks: Tasks;
  /** What this isolate knows of its memory, and ways to bound and save it. */
  readonly memory: Memory;
  /** Processes that do the work that is sent to one pid. */
  readonly ecosystems: Ecosystems;
  /** Work on all cores, and on this one without holding others up. */
  readonly schedulers = new Schedulers();
  /** What sending costs, and what to do where a receiver is full. */
  readonly messages: Messages;
  readonly #room: ProcessRoom;

  /** Attaches the processes of an isolate to its node. */
  constructor(node: ClusterNode, place: BeamPlace) {
    this.#room = new ProcessRoom(node, place);
    const { runtime, distribution, factories, events } = this.#room;
    const spawnEcosystem = async (...args: [string, EcosystemOptions] | [EcosystemOptions]) => {
      return args.length === 1
        ? this.ecosystems.spawnEcosystem(args[0])
        : this.ecosystems.spawnEcosystem(...args);
    };
    this.processes = new Processes(runtime, distribution, factories, events, spawnEcosystem);
    this.supervisors = new Supervisors(this.processes);
    this.tasks = new Tasks(runtime);
    this.memory = new Memory(node);
    const cluster = nodeCluster(node, factories);
    this.ecosystems = new Ecosystems(runtime, this.supervisors, cluster);
    const outward = outwardOf(node, distribution, runtime);
    this.messages = new Messages(this.processes, runtime.home, outward);
    node.onClosed(() => this.close());
  }

  /**
   * Calls `listener` once for each stall of any isolate of the node, the main thread included,
   * until the returned function is called. The stack is taken during the stall, by a thread of its
   * own; the listener runs on the main thread, hence after a stall of that one.
   *
   * @throws FoundationError `not_root_isolate`, `invalid_options`, `shim_missing`,
   *   `loop_watch_missing`, `node_left`
   */
  watch(options: WatchOptions, listener: (report: StallReport) => void): Unsubscribe {
    const { watchdog } = this.#room;
    if (watchdog !== undefined) return watchdog.listen(options, listener);
    const text = "stalls are told to the isolate that has started the node";
    throw new FoundationError("not_root_isolate", text);
  }

  /** Ends all processes of this isolate, and tells those that are tied to them: it leaves. */
  close(): void {
    this.#room.close();
    this.memory.close();
    void this.schedulers.close();
    this.messages.close();
  }
}
