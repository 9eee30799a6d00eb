import { createSocket } from "node:dgram";
import { isIPv4 } from "node:net";
import { FoundationError } from "../../../../base/errors.ts";
import { checkKeys, checkKind } from "../../../../base/option-checks.ts";
import { optionalPackage } from "../../../../base/optional-package.ts";
import { Alarm } from "../../alarm.ts";
import { checkPeriod, discoveryFailed, untilAborted } from "../../asking.ts";
import type {
  Candidate,
  CandidateSet,
  DiscoveryProvider,
  ProviderContext,
} from "../../provider.ts";
import { canBeTold, type MulticastMessage, nodesIn, recordsOf, SERVICE } from "./records.ts";

/** Nodes that announce themselves by multicast DNS. Defaults: {@link MDNS_DEFAULTS}. */
export interface MdnsOptions {
  /** IPv4 address of the one interface to use. Default: all, and the system's for sending. */
  readonly interfaceAddress?: string;
  /**
   * Longest pause between two questions; the first ones come after 1, 2, 4 ... seconds. Unit: ms.
   * Default: 60,000.
   */
  readonly pollMs?: number;
}

/** How often nodes are asked for unless the options say otherwise. */
export const MDNS_DEFAULTS = Object.freeze({
  pollMs: 60_000, // newcomers announce themselves; a question only finds what was lost
});

/** RFC 6762, section 5.2: at least a second between the first two questions. Unit: ms. */
const FIRST_PAUSE_MS = 1_000;

/** Nobody's record is multicast more often, however many ask. RFC 6762, section 6. Unit: ms. */
const ANSWER_PAUSE_MS = 1_000;

/** Nodes that are kept until somebody takes them: as many as a round looks at. */
const WAITING_MAX = 1_024;

/** What is taken of the package. It is an optional one: this compiles without it. */
interface Multicast {
  on(event: "error" | "warning", run: (error: Error) => void): void;
  on(event: "ready", run: () => void): void;
  on(event: "query" | "response", run: (message: MulticastMessage) => void): void;
  query(message: MulticastMessage): void;
  respond(message: MulticastMessage, done?: () => void): void;
  destroy(): void;
}

/**
 * Nodes of one network that announce themselves by multicast DNS as `_foundation._tcp.local`. Needs
 * the package `multicast-dns`. Anybody on the network can announce anything: who a node is only its
 * handshake tells.
 *
 * @throws FoundationError `invalid_options`
 */
export function mdnsProvider(options: MdnsOptions = {}): DiscoveryProvider {
  const where = "Providers.mdns";
  checkKeys(where, options, ["interfaceAddress", ...Object.keys(MDNS_DEFAULTS)]);
  const { interfaceAddress } = options;
  const { pollMs } = { ...MDNS_DEFAULTS, ...options };
  const isAddress = interfaceAddress === undefined || isIPv4(String(interfaceAddress));
  checkKind(`interfaceAddress of ${where}`, isAddress, "an IPv4 address");
  checkPeriod(`pollMs of ${where}`, pollMs);
  return {
    kind: "mdns",
    announces: true,
    label: interfaceAddress === undefined ? "mdns" : `mdns ${interfaceAddress}`,
    candidates: (context) => untilAborted(context, listen(context, interfaceAddress, pollMs)),
  };
}

async function* listen(
  context: ProviderContext,
  interfaceAddress: string | undefined,
  pollMs: number,
): AsyncGenerator<CandidateSet> {
  const { signal, self } = context;
  if (!canBeTold(self)) {
    const text = "the name of the cluster is too long for multicast DNS: 247 bytes at most";
    throw new FoundationError("discovery_failed", text);
  }
  const ear = new Ear(context, await open(interfaceAddress));
  try {
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; ) {
      ear.ask(pauseMs <= 2 * FIRST_PAUSE_MS);
      const untilMs = context.clock.now() + pauseMs * (0.95 + context.random() / 10);
      for (let leftMs = 1; leftMs > 0 && !signal.aborted; ) {
        leftMs = untilMs - context.clock.now();
        await ear.alarm.wait(context, Math.max(0, leftMs));
        const candidates = ear.take();
        if (candidates.length > 0) yield { candidates, isComplete: false };
        leftMs = untilMs - context.clock.now();
      }
      pauseMs = Math.min(pollMs, pauseMs * 2);
    }
  } finally {
    ear.close();
  }
}

async function open(interfaceAddress: string | undefined): Promise<Multicast> {
  try {
    const { default: make } = await optionalPackage("multicast-dns", "7", async () => {
      return (await import("multicast-dns" as string)) as {
        readonly default: (options: object) => Multicast;
      };
    });
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    socket.unref();
    const place = { bind: "0.0.0.0", ...(interfaceAddress && { interface: interfaceAddress }) };
    return make({ socket, ...place });
  } catch (thrown) {
    throw discoveryFailed("multicast DNS", thrown);
  }
}

/** What is heard of others, and told of this node. */
class Ear {
  readonly alarm = new Alarm();
  readonly #context: ProviderContext;
  readonly #multicast: Multicast;
  readonly #waiting = new Map<string, Candidate>();
  #failure: Error | undefined;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(context: ProviderContext, multicast: Multicast) {
    this.#context = context;
    this.#multicast = multicast;
    multicast.on("error", (error) => {
      this.#failure = error;
      this.alarm.ring();
    });
    // A message that cannot be read, or an interface that carries no multicast.
    multicast.on("warning", () => context.note("unreadable"));
    multicast.on("query", (message) => this.#onQuery(message));
    multicast.on("response", (message) => this.#onResponse(message));
  }

  /** Asks who is there, and tells of this node where it is new. */
  ask(isNew: boolean): void {
    this.#multicast.query({ questions: [{ name: SERVICE, type: "PTR" }] });
    if (isNew) this.#multicast.respond({ answers: recordsOf(this.#context.self) });
  }

  /** Who was heard of since; throws what keeps the socket from hearing. */
  take(): readonly Candidate[] {
    if (this.#failure !== undefined) throw discoveryFailed("multicast DNS", this.#failure);
    const candidates = [...this.#waiting.values()];
    this.#waiting.clear();
    return candidates;
  }

  /** Takes back what was told of this node. */
  close(): void {
    if (this.#failure !== undefined) {
      this.#multicast.destroy();
      return;
    }
    const answers = recordsOf(this.#context.self, 0);
    this.#multicast.respond({ answers }, () => this.#multicast.destroy());
  }

  #onQuery({ questions = [] }: MulticastMessage): void {
    const nowMs = this.#context.clock.now();
    if (this.#context.signal.aborted || nowMs - this.#answeredMs < ANSWER_PAUSE_MS) return;
    if (!questions.some(({ name, type }) => name === SERVICE && /^(PTR|ANY)$/.test(type))) return;
    this.#answeredMs = nowMs;
    this.#multicast.respond({ answers: recordsOf(this.#context.self) });
  }

  #onResponse(message: MulticastMessage): void {
    const { self, note } = this.#context;
    for (const candidate of nodesIn(message, self.cluster, note)) {
      if (candidate.address === self.address) continue;
      if (this.#waiting.size < WAITING_MAX) this.#waiting.set(candidate.address, candidate);
      else note("overLimit");
    }
    if (this.#waiting.size > 0) this.alarm.ring();
  }
}
