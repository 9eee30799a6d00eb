import { ManualClock } from "../../ts/base/manual-clock.ts";
import { TypedEvents, type Unsubscribe } from "../../ts/base/typed-events.ts";
import { Discovery } from "../../ts/distributed/discovery/discovery.ts";
import type { DiscoveryNode } from "../../ts/distributed/discovery/discovery-node.ts";
import type { DiscoveryOptions } from "../../ts/distributed/discovery/discovery-options.ts";
import type {
  CandidateSet,
  DiscoveryProvider,
  ProviderContext,
} from "../../ts/distributed/discovery/provider.ts";
import type { DownEvent, Member } from "../../ts/kernel/members.ts";

interface NodeNews {
  up: Member;
  down: DownEvent;
  dialFailed: { readonly address: string; readonly code: string };
}

/** A node whose network is a table: who answers at which address. */
export class TableNode implements DiscoveryNode {
  readonly name = "self";
  readonly cluster = "table";
  readonly address = "10.0.0.1:7000";
  readonly answering = new Map<string, string>();
  readonly dialled: string[] = [];
  readonly forgotten: { address: string; hangUp: boolean }[] = [];
  readonly #events = new TypedEvents<NodeNews>();
  readonly #up = new Map<string, Member>();

  readonly hasOverlays: boolean;

  constructor(hasOverlays: boolean) {
    this.hasOverlays = hasOverlays;
  }

  on<Name extends keyof NodeNews>(
    name: Name,
    listener: (event: NodeNews[Name]) => void,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  members(): readonly Member[] {
    return [...this.#up.values()];
  }

  async join([address = ""]: readonly string[]): Promise<string> {
    this.dialled.push(address);
    const name = this.answering.get(address);
    if (name === undefined) throw new Error(`nobody answers at ${address}`);
    this.rise(name, address);
    return name;
  }

  forget(addresses: readonly string[], { hangUp = false } = {}): void {
    for (const address of addresses) {
      this.forgotten.push({ address, hangUp });
      const member = [...this.#up.values()].find((one) => one.address === address);
      if (hangUp && member !== undefined) this.fall(member.name, "pruned");
    }
  }

  /** A member is up. */
  rise(name: string, address: string): void {
    if (this.#up.has(name)) return;
    const member: Member = { name, address, life: "1", state: "up", self: false };
    this.#up.set(name, member);
    this.#events.emit("up", member);
  }

  /** A member is gone. */
  fall(name: string, reason: string): void {
    if (this.#up.delete(name)) this.#events.emit("down", { name, reason });
  }

  /** What the core tells of a dial. */
  failDial(address: string, code: string): void {
    this.#events.emit("dialFailed", { address, code });
  }
}

/** A source that says what a test has it say, and fails when that has it fail. */
export class SpokenSource implements DiscoveryProvider {
  readonly kind = "spoken";
  readonly label: string;
  runs = 0;
  closed = 0;
  #queue: (CandidateSet | Error)[] = [];
  #wake: () => void = () => {};

  constructor(label: string) {
    this.label = label;
  }

  /** Says a complete set of these addresses. */
  says(...addresses: string[]): void {
    this.tells({ candidates: addresses.map((address) => ({ address })), isComplete: true });
  }

  /** Says a set, or fails. */
  tells(...answers: (CandidateSet | Error)[]): void {
    this.#queue.push(...answers);
    this.#wake();
  }

  async *candidates({ signal }: ProviderContext): AsyncGenerator<CandidateSet> {
    this.runs += 1;
    signal.addEventListener("abort", () => this.#wake());
    while (!signal.aborted) {
      const next = this.#queue.shift();
      if (next instanceof Error) throw next;
      if (next !== undefined) {
        yield next;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

/** A search over a table of answers, under a clock that a test moves. */
export class DiscoveryScene {
  readonly clock = new ManualClock();
  readonly node: TableNode;
  readonly discovery: Discovery;
  readonly sources: readonly SpokenSource[];
  readonly told: [event: string, what: object][] = [];

  constructor(
    options: Omit<DiscoveryOptions, "sources"> & { readonly sources?: DiscoveryOptions["sources"] },
    { sources = 1, hasOverlays = false } = {},
  ) {
    this.node = new TableNode(hasOverlays);
    this.discovery = new Discovery(this.node);
    this.sources = Array.from({ length: sources }, (_, at) => new SpokenSource(`spoken ${at}`));
    const events = [
      "candidates",
      "sourceFailed",
      "sourceRecovered",
      "dialled",
      "dialFailed",
    ] as const;
    for (const event of [...events, "pruned", "reconnected"] as const) {
      this.discovery.on(event, (what) => this.told.push([event, what]));
    }
    const all = { sources: this.sources, ...options };
    this.discovery.start(all, { clock: this.clock, random: () => 0.5 });
  }

  /** The first source. */
  get source(): SpokenSource {
    const [first] = this.sources;
    if (first === undefined) throw new Error("a scene has a source");
    return first;
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms);
  }

  /** What was told under that name. */
  events(name: string): readonly object[] {
    return this.told.filter(([event]) => event === name).map(([, what]) => what);
  }

  /** State of the candidate of an address. */
  stateOf(address: string): string | undefined {
    return this.discovery.status().candidates.find((one) => one.address === address)?.state;
  }
}
