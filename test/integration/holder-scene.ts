import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { FoundationNode, FoundationOptions, Pid } from "foundation-runtime";
import { expect } from "vitest";
import { holders } from "./fixtures/holder.mjs";
import { allReady, LocalNodes } from "./local-nodes.ts";

const WORKER = fileURLToPath(new URL("./fixtures/holder-worker.mjs", import.meta.url));

/** Where a holder lives, as seen from the node `here`. */
export const HOLDER_PLACES = ["in this isolate", "in another isolate", "at another node"] as const;
/** A place where nothing differs but the way to it. */
export type HolderPlace = (typeof HOLDER_PLACES)[number];

/** A node with processes that hold what they get: in its isolates, and at another node. */
export class HolderScene {
  readonly here: FoundationNode;
  readonly #nodes: LocalNodes;
  readonly #options: FoundationOptions;
  readonly #workers = new Map<string, Worker>();
  readonly #slabsBefore: number;
  #holdersHere: (() => unknown) | undefined;

  private constructor(nodes: LocalNodes, here: FoundationNode, options: FoundationOptions) {
    this.#nodes = nodes;
    this.here = here;
    this.#options = options;
    this.#slabsBefore = this.slabs;
    here.beam.processes.on("crashed", () => {});
  }

  static async open(options: FoundationOptions = {}): Promise<HolderScene> {
    const nodes = new LocalNodes();
    return new HolderScene(nodes, await nodes.start({ ...options, name: "here" }), options);
  }

  /** Slabs that somebody holds. */
  get slabs(): number {
    return this.here.metrics().slabs["live"] as number;
  }

  /** Resolves when so many slabs are live beside those of the beginning. */
  async slabsAre(count: number): Promise<void> {
    await expect.poll(() => this.slabs - this.#slabsBefore, { timeout: 10_000 }).toBe(count);
  }

  /** A holder in the isolate of a worker, which is started where it is not there yet. */
  async inWorker(name: string): Promise<Pid> {
    if (!this.#workers.has(name)) {
      const worker = new Worker(WORKER, { workerData: { node: "here", name } });
      this.#workers.set(name, worker);
      await once(worker, "message");
    }
    return this.here.beam.processes.spawnOn("here", name);
  }

  /** A holder at the node `there`, which is started where it is not there yet. */
  async atNode(): Promise<Pid> {
    if (this.#nodes.last === this.here) {
      const seeds = [this.here.address];
      const there = await this.#nodes.start({ ...this.#options, name: "there", seeds });
      await allReady([this.here, there], 2);
      there.beam.processes.offer("holder", holders(there, "there") as never);
    }
    return this.here.beam.processes.spawnOn("there", "holder");
  }

  /** A holder anywhere. */
  async holder(place: HolderPlace): Promise<Pid> {
    if (place === "in another isolate") return this.inWorker("worker");
    if (place === "at another node") return this.atNode();
    this.#holdersHere ??= holders(this.here, "here");
    return this.here.beam.processes.spawn(this.#holdersHere() as never);
  }

  /** Lets the holders of a place handle so many messages. */
  async openGate(place: HolderPlace, messages: number): Promise<void> {
    const at = {
      "in this isolate": { node: "here", name: "gate here" },
      "in another isolate": { node: "here", name: "gate worker" },
      "at another node": { node: "there", name: "gate there" },
    }[place];
    await this.here.call(at, messages);
  }

  /** What a holder answers to an order. */
  async order<Answer>(pid: Pid, order: string, more: object = {}): Promise<Answer> {
    return (await this.here.beam.processes.call(pid, { order, ...more })) as Answer;
  }

  /** Ends the isolate of a worker at once. */
  async terminate(name: string): Promise<void> {
    await this.#workers.get(name)?.terminate();
    this.#workers.delete(name);
  }

  async close(): Promise<void> {
    for (const name of [...this.#workers.keys()]) await this.terminate(name);
    await this.#nodes.leaveAll();
  }
}
