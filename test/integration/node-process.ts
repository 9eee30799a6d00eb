import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type {
  Address,
  CallOptions,
  FoundationOptions,
  Member,
  NodeEvents,
  NodeMetrics,
  OverlayCommands,
  SwitchOutcome,
  TopologySnapshot,
} from "foundation-runtime";
import { SOON_MS } from "./local-nodes.ts";
import { whenPatienceEnds } from "./patience.ts";

const PROGRAM = fileURLToPath(new URL("./fixtures/member.mjs", import.meta.url));

/** How a handler over there treats its messages. */
export type HandlerKind =
  | "echo"
  | "count"
  | "slow"
  | "stuck"
  | "note"
  | "digest"
  | "keys"
  | "ascending"
  | "pressed"
  | "parked";

/** One message as a `note` handler wrote it down. */
export interface Note {
  readonly from: string;
  readonly channel: string;
  readonly isCall: boolean;
  /** Length of bytes; other values are `text`, as JSON. */
  readonly bytes?: number;
  /** SHA-256 of bytes, in base64. */
  readonly digest?: string;
  readonly text?: string;
}

/** What a process has sent and received in an exchange of honest traffic. */
export interface Exchanged {
  readonly sent: {
    readonly messages: number;
    readonly calls: number;
    readonly failures: readonly string[];
  };
  readonly received: {
    readonly messages: number;
    readonly misordered: number;
    readonly damaged: number;
    readonly calls: number;
  };
}

/** What a counting handler has seen; its messages carry their number in the first four bytes. */
export interface Seen {
  readonly messages: number;
  readonly bytes: number;
  readonly misordered: number;
  /** What an `ascending` handler found changed. */
  readonly damaged?: number;
}

/** What a node came to say to others, and to hear from them, by name. */
export interface Talked {
  /** Messages that its node accepted. */
  readonly accepted: Readonly<Record<string, number>>;
  /** `lost`: numbers that never came; `misordered`: that came again or too late. */
  readonly heard: Readonly<
    Record<string, { messages: number; lost: number; misordered: number; damaged: number }>
  >;
}

/** What a node said in bulletins and heard of them. */
export interface Bulletins {
  /** Broadcasts, by overlay. */
  readonly said: Readonly<Record<string, number>>;
  /** By overlay and sender. `last` is the greatest number; `doubled`: how many came again. */
  readonly heard: Readonly<
    Record<string, Readonly<Record<string, { count: number; last: number; doubled: number }>>>
  >;
  /** Messages to each receiver that the node accepted. */
  readonly accepted: Readonly<Record<string, number>>;
  /** Messages by sender; `amiss` are those that did not have the next number. */
  readonly told: Readonly<Record<string, { next: number; amiss: number }>>;
  /** Messages that could not be sent, in words. */
  readonly failures: readonly string[];
}

/** What became of messages and calls that were sent whatever happened. */
export interface Scattered {
  readonly sent: number;
  readonly answered: number;
  readonly unanswered: number;
  readonly wrong: number;
}

/** What became of messages that were sent as fast as they were taken. */
export interface Pressed {
  readonly accepted: number;
  /** How often there was no room. */
  readonly refusals: number;
  /** Codes that waits, calls and sends ended with, and how often. */
  readonly codes: Readonly<Record<string, number>>;
}

/** Messages to send in a row. */
export interface Load {
  readonly to: Address;
  readonly channel?: string;
  readonly messages: number;
  /** Length of each, at least four. Unit: bytes. */
  readonly bytes: number;
}

interface Question {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** An event of a node in another process. */
export interface SeenEvent {
  readonly name: string;
  readonly event: unknown;
}

type Said =
  | { kind: "event"; name: string; event: unknown }
  | { kind: "answer"; id: number; value?: unknown; error?: { code?: string; message: string } };

/** A node in a process of its own, to be asked, stopped and killed. */
export class NodeProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Where it listens, once started. */
  address = "";
  /** Its life, once started. */
  life = "";
  readonly #questions = new Map<number, Question>();
  readonly #listeners = new Set<(event: SeenEvent) => void>();
  #nextQuestion = 0;

  /** `within`: words before the command, which have to become it: same process, same signals. */
  constructor(name: string, within: readonly string[] = []) {
    this.name = name;
    const [execPath, ...words] = within;
    this.child = fork(PROGRAM, {
      ...{ serialization: "advanced", stdio: "inherit" },
      ...(execPath !== undefined && { execPath, execArgv: [...words, process.execPath] }),
    });
    this.child.on("message", (said) => this.#hear(said as Said));
    this.child.on("exit", () => {
      for (const { reject } of this.#questions.values()) reject(new Error(`'${name}' is gone`));
      this.#questions.clear();
    });
  }

  #hear(said: Said): void {
    if (said.kind === "event") {
      for (const listener of [...this.#listeners]) listener(said);
      return;
    }
    const question = this.#questions.get(said.id);
    this.#questions.delete(said.id);
    if (said.error === undefined) question?.resolve(said.value);
    else question?.reject(Object.assign(new Error(said.error.message), { code: said.error.code }));
  }

  async #ask(task: string, ...parameters: unknown[]): Promise<unknown> {
    const id = this.#nextQuestion++;
    return new Promise((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
      this.child.send({ id, task, parameters }, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  /** Starts the node; the one after it, where it has left. */
  async start(options: FoundationOptions): Promise<void> {
    const started = await this.#ask("start", { ...options, name: this.name });
    Object.assign(this, started as { address: string; life: string });
  }

  /** Resolves when it sees that many members. */
  async ready(members: number, timeoutMs: number = 30_000): Promise<void> {
    await this.#ask("ready", members, timeoutMs);
  }

  /** Makes it dial an address; resolves with the name of the member there. */
  async join(address: string, timeoutMs: number = SOON_MS): Promise<string> {
    return (await this.#ask("join", address, timeoutMs)) as string;
  }

  /** Makes it leave the cluster. */
  async leave(drainMs: number): Promise<void> {
    await this.#ask("leave", drainMs);
  }

  /** The members it sees. */
  async members(): Promise<Member[]> {
    return (await this.#ask("members")) as Member[];
  }

  /** Changes or lists the secrets it accepts; resolves with their fingerprints. */
  async keys(change: "add" | "use" | "remove" | "list", secret: string): Promise<string[]> {
    return (await this.#ask("keys", change, secret)) as string[];
  }

  /** Its counters. */
  async metrics(): Promise<NodeMetrics> {
    return (await this.#ask("metrics")) as NodeMetrics;
  }

  /** Calls from there. */
  async call(to: Address, message: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#ask("call", to, message, options);
  }

  /** Registers a handler there. `pauseMs` is how long a slow one takes for each message. */
  async handle(name: string, kind: HandlerKind, pauseMs?: number): Promise<void> {
    await this.#ask("handle", name, kind, pauseMs);
  }

  /** What a handler there has seen. */
  async seen(name: string): Promise<Seen> {
    return (await this.#ask("seen", name)) as Seen;
  }

  /** Sends numbered messages from there; resolves when all were accepted. */
  async flood(load: Load): Promise<{ readonly refusals: number }> {
    return (await this.#ask("flood", load)) as { refusals: number };
  }

  /** Sends likewise and leaves with the last one; resolves with what the node says of itself. */
  async floodAndLeave(load: Load, drainMs: number): Promise<NodeEvents["left"]> {
    return (await this.#ask("floodAndLeave", load, drainMs)) as NodeEvents["left"];
  }

  /** Attaches a second isolate there, which echoes under `worker-echo`. */
  async startWorker(): Promise<void> {
    await this.#ask("startWorker");
  }

  /** Lets other nodes start subjects (fixtures/subject.mjs) there. */
  async offerSubject(): Promise<void> {
    await this.#ask("offerSubject");
  }

  /** Its memory in RAM: now, and the most it ever was. */
  async memory(): Promise<{ readonly rssBytes: number; readonly peakBytes: number }> {
    return (await this.#ask("memory")) as { rssBytes: number; peakBytes: number };
  }

  /** Lets the peak of its memory begin anew. */
  async forgetPeak(): Promise<void> {
    await this.#ask("forgetPeak");
  }

  /** What a `note` handler there has written down. */
  async notes(name: string): Promise<readonly Note[]> {
    return (await this.#ask("notes", name)) as readonly Note[];
  }

  /** What a `keys` handler there found wrong, in words. */
  async findings(name: string): Promise<readonly string[]> {
    return (await this.#ask("notes", name)) as readonly string[];
  }

  /** What somebody has done to the prototypes of that process, in words. */
  async pollution(): Promise<readonly string[]> {
    return (await this.#ask("pollution")) as readonly string[];
  }

  /** Takes the other side's half of an exchange of honest traffic. */
  async receiveExchange(): Promise<void> {
    await this.#ask("receiveExchange");
  }

  /** Sends numbered messages and calls to one node until told to stop; goes on where it was. */
  async startExchange(peer: string): Promise<void> {
    await this.#ask("startExchange", peer);
  }

  /** Ends what was started; resolves when the last call was answered. */
  async stopExchange(): Promise<void> {
    await this.#ask("stopExchange");
  }

  /** Sends numbered messages to a name, and calls beside them, whatever becomes of either. */
  async startScatter(peer: string, name: string): Promise<void> {
    await this.#ask("startScatter", peer, name);
  }

  /** Ends that; says what became of them. */
  async stopScatter(): Promise<Scattered> {
    return (await this.#ask("stopSending")) as Scattered;
  }

  /** Sends numbered messages to a name as fast as they are taken, and calls beside them. */
  async startPress(peer: string, name: string): Promise<void> {
    await this.#ask("startPress", peer, name);
  }

  /** Ends that; says what became of them. */
  async stopPress(): Promise<Pressed> {
    return (await this.#ask("stopSending")) as Pressed;
  }

  /** Lets the messages go on that wait in `parked` handlers. */
  async unpark(): Promise<void> {
    await this.#ask("unpark");
  }

  /** What the exchange came to so far. */
  async exchanged(): Promise<Exchanged> {
    return (await this.#ask("exchanged")) as Exchanged;
  }

  /** Sends numbered messages to each of these, gently, until told to stop. */
  async startTalk(peers: readonly string[]): Promise<void> {
    await this.#ask("startTalk", peers);
  }

  /** Ends that; what was accepted is on its way. */
  async stopTalk(): Promise<void> {
    await this.#ask("stopTalk");
  }

  /** What it said and heard so far, by the name of the other side. */
  async talked(): Promise<Talked> {
    return (await this.#ask("talked")) as Talked;
  }

  /** Sends numbered broadcasts over these overlays, and numbered messages to these nodes. */
  async startBulletins(peers: readonly string[], overlays: readonly string[]): Promise<void> {
    await this.#ask("startBulletins", peers, overlays);
  }

  /** Ends that; what was accepted is on its way. */
  async stopBulletins(): Promise<void> {
    await this.#ask("stopBulletins");
  }

  /** What came of them so far. */
  async bulletins(): Promise<Bulletins> {
    return (await this.#ask("bulletins")) as Bulletins;
  }

  /** Its overlays and whom they link it to. */
  async topology(): Promise<TopologySnapshot> {
    return (await this.#ask("topology")) as TopologySnapshot;
  }

  /** Switches an overlay from there. */
  async switchOverlay(
    ...parameters: Parameters<OverlayCommands["switchOverlay"]>
  ): Promise<SwitchOutcome> {
    return (await this.#ask("switchOverlay", ...parameters)) as SwitchOutcome;
  }

  /** Calls back with each of its events; answers what ends that. */
  hear(listener: (event: SeenEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes its event loop run without a pause for that long. */
  async block(durationMs: number, place: "immediate" | "callback" = "immediate"): Promise<void> {
    await this.#ask("block", durationMs, place);
  }

  /** Resolves with the next event of that name about that member. */
  async nextEvent<Name extends keyof NodeEvents>(
    name: Name,
    member: string,
    timeoutMs: number = SOON_MS,
  ): Promise<NodeEvents[Name]> {
    return new Promise((resolve, reject) => {
      const listener = (said: SeenEvent): void => {
        const event = said.event as { name?: string };
        if (said.name !== name || event.name !== member) return;
        goOn();
        this.#listeners.delete(listener);
        resolve(said.event as NodeEvents[Name]);
      };
      const goOn = whenPatienceEnds(timeoutMs, () => {
        this.#listeners.delete(listener);
        const what = `'${name}' of '${member}'`;
        reject(new Error(`'${this.name}' saw no ${what} within ${timeoutMs} ms`));
      });
      this.#listeners.add(listener);
    });
  }

  /** Sends a signal: `SIGSTOP` freezes it, `SIGCONT` lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Kills it, as `kill -9` does; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }
}

/** The processes that a test runs; none outlives it. */
export class NodeProcesses {
  readonly #started: NodeProcess[] = [];

  /** Starts a process without a node in it yet. */
  prepare(name: string, within: readonly string[] = []): NodeProcess {
    const prepared = new NodeProcess(name, within);
    this.#started.push(prepared);
    return prepared;
  }

  /** Starts a process with one node in it. */
  async start(name: string, options: FoundationOptions = {}): Promise<NodeProcess> {
    const started = this.prepare(name);
    await started.start(options);
    return started;
  }

  /** Kills them all, frozen ones too. */
  async killAll(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((started) => started.kill()));
  }
}
