import { inspect } from "node:util";
import type { Down, Exit, FoundationNode, Pid, Processes } from "foundation-runtime";
import { isDown, isExit } from "foundation-runtime";
import { SOON_MS } from "./local-nodes.ts";

/** A process of the test itself: writes down what it gets, and does things as a process. */
export class Probe {
  readonly pid: Pid;
  readonly got: unknown[] = [];
  readonly #processes: Processes;
  #waiting: (() => void)[] = [];

  /** `trapExit`: it hears of the end of those it is linked to, and does not share it. */
  constructor(node: FoundationNode, { trapExit = false } = {}) {
    this.#processes = node.beam.processes;
    this.pid = this.#processes.spawn(
      (message: unknown) => {
        this.got.push(message);
        for (const wake of this.#waiting.splice(0)) wake();
      },
      { trapExit, label: "probe" },
    );
  }

  /** Resolves once a message that matches has come. */
  async next<Message>(matches: (message: unknown) => boolean): Promise<Message> {
    const deadline = performance.now() + SOON_MS;
    for (;;) {
      const found = this.got.find(matches);
      if (found !== undefined) return found as Message;
      if (performance.now() > deadline) {
        throw new Error(`no such message within ${SOON_MS} ms, but ${this.#described()}`);
      }
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, SOON_MS);
        this.#waiting.push(() => {
          clearTimeout(late);
          resolve();
        });
      });
    }
  }

  /** What it got, however much that is, in a few lines. */
  #described(): string {
    const limits = { depth: 3, maxArrayLength: 5, maxStringLength: 80, breakLength: 120 };
    const last = this.got.slice(-5).map((message) => inspect(message, limits).slice(0, 300));
    return `${this.got.length} messages, at last:\n${last.join("\n")}`;
  }

  /** The next `DOWN`. */
  async down(): Promise<Down> {
    return this.next<Down>(isDown);
  }

  /** The next `EXIT`. */
  async exit(): Promise<Exit> {
    return this.next<Exit>(isExit);
  }

  /** How many messages match. */
  count(matches: (message: unknown) => boolean): number {
    return this.got.filter(matches).length;
  }

  get isAlive(): boolean {
    return this.#processes.isAlive(this.pid);
  }

  /** Hears of the end of a process, as a `DOWN`. */
  watch(pid: Pid): void {
    this.#processes.monitor(pid, (down) => this.#processes.send(this.pid, down));
  }

  /** Links it. */
  link(pid: Pid): void {
    this.#processes.link(this.pid, pid);
  }

  /** Unlinks it. */
  unlink(pid: Pid): void {
    this.#processes.unlink(this.pid, pid);
  }
}
