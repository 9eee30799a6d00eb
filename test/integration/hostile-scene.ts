import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { FoundationOptions, NodeMetrics } from "foundation-runtime";
import { expect } from "vitest";
import { HandPeer } from "./hand-peer.ts";
import { LocalNodes } from "./local-nodes.ts";
import { type NodeProcess, NodeProcesses } from "./node-process.ts";

const MIB = 1 << 20;
/**
 * What V8, its young generation (three semi-spaces of 16 MiB) and the allocator may add to any
 * process that works: the bound of a row is what the attack may hold, and this.
 */
const SLACK_BYTES = 64 * MIB;

/** A connection that has not proved anything. */
export interface Stranger {
  readonly socket: Socket;
  /** Resolves when it is over, however it ends. */
  readonly closed: Promise<void>;
}

/** A victim in a process of its own, an honest node beside it, and room for attackers. */
export class Scene {
  readonly processes = new NodeProcesses();
  readonly victim: NodeProcess;
  readonly honest: NodeProcess;
  readonly #newcomers = new LocalNodes();
  readonly #options: FoundationOptions;
  /** Where the victim listens, whatever it tells others. */
  address = "";
  readonly #hands: HandPeer[] = [];
  readonly #strangers: Socket[] = [];
  #before = { messages: 0, rssBytes: 0 };
  #handNumber = 0;

  private constructor(options: FoundationOptions) {
    this.#options = options;
    this.victim = this.processes.prepare("victim");
    this.honest = this.processes.prepare("honest");
  }

  /** Starts both; neither takes a busy machine for silence. */
  static async open(
    options: FoundationOptions = {},
    ofVictim: FoundationOptions = {},
  ): Promise<Scene> {
    const scene = new Scene({ silentAfterMs: 15_000, ...options });
    await scene.victim.start({ ...scene.#options, ...ofVictim });
    scene.address = ofVictim.listen ?? scene.victim.address;
    await scene.honest.start({ ...scene.#options, seeds: [scene.address] });
    await Promise.all([scene.victim.ready(2), scene.honest.ready(2)]);
    await Promise.all([scene.victim.receiveExchange(), scene.honest.receiveExchange()]);
    await scene.victim.handle("echo", "echo");
    return scene;
  }

  /** Honest traffic begins, in both directions, and memory is measured from here on. */
  async begin(): Promise<void> {
    await this.victim.startExchange("honest");
    await this.honest.startExchange("victim");
    const before = await this.#received();
    await expect.poll(async () => this.#received()).toBeGreaterThan(before + 200);
    await this.victim.forgetPeak();
    const { rssBytes } = await this.victim.memory();
    this.#before = { messages: await this.#received(), rssBytes };
  }

  async #received(): Promise<number> {
    return (await this.victim.exchanged()).received.messages;
  }

  /** A member written by hand, linked to the victim. */
  async hand(channels: readonly string[] = ["default"]): Promise<HandPeer> {
    const node = `hand-${this.#handNumber++}`;
    const peer = await HandPeer.link(this.address, {
      node,
      cluster: "foundation",
      channels,
    });
    this.#hands.push(peer);
    return peer;
  }

  /** A connection to the victim that has said nothing yet. */
  async stranger(): Promise<Stranger> {
    const port = Number(this.address.split(":")[1]);
    const socket = connect({ port, host: "127.0.0.1" });
    this.#strangers.push(socket);
    socket.on("error", () => {}); // a reset is as good an end as any
    socket.resume();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    await once(socket, "connect");
    return { socket, closed };
  }

  /** How often links of the victim have ended for that reason. */
  async linksEnded(code: string): Promise<number> {
    return (await this.victim.metrics()).linksEnded[code] ?? 0;
  }

  /** Resolves when a counter of the victim has that value; a wrong one fails after a while. */
  async expectCount(count: (metrics: NodeMetrics) => number, expected: number): Promise<void> {
    const seen = async (): Promise<number> => count(await this.victim.metrics());
    await expect.poll(seen, { timeout: 10_000 }).toBe(expected);
  }

  /**
   * Ends the honest traffic and looks at everything that an attack must not touch: every honest
   * message is there, in order and intact, every call was answered right, the victim's memory grew
   * by no more than `heldBytesMax` and the slack, and a new member is admitted.
   */
  async expectUnharmed(heldBytesMax: number): Promise<void> {
    await expect.poll(async () => this.#received()).toBeGreaterThan(this.#before.messages + 16);
    const { peakBytes } = await this.victim.memory();
    const grownMiB = (peakBytes - this.#before.rssBytes) / MIB;
    expect(grownMiB, "MiB that the victim grew by").toBeLessThan(
      (heldBytesMax + SLACK_BYTES) / MIB,
    );
    await Promise.all([this.victim.stopExchange(), this.honest.stopExchange()]);
    await this.#expectComplete(this.honest, this.victim);
    await this.#expectComplete(this.victim, this.honest);
    const name = `newcomer-${this.#handNumber++}`;
    const newcomer = await this.#newcomers.start({ ...this.#options, name });
    expect(await newcomer.join(this.address)).toBe("victim");
    expect(await newcomer.call({ node: "victim", name: "echo" }, "let in")).toBe("let in");
    await newcomer.leave();
  }

  async #expectComplete(from: NodeProcess, to: NodeProcess): Promise<void> {
    const { sent } = await from.exchanged();
    expect(sent.failures, `failures of '${from.name}'`).toEqual([]);
    const received = async (): Promise<unknown> => (await to.exchanged()).received;
    const { messages, calls } = sent;
    const expected = { messages, calls, misordered: 0, damaged: 0 };
    await expect.poll(received, { timeout: 30_000 }).toEqual(expected);
  }

  /** Ends what a row has left. */
  async clear(): Promise<void> {
    for (const socket of this.#strangers.splice(0)) socket.destroy();
    for (const hand of this.#hands.splice(0)) hand.socket.destroy();
    await this.#newcomers.leaveAll();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.clear();
    await this.processes.killAll();
  }
}
