import { FoundationError } from "../../../../base/errors.ts";
import { DELAY_MS_MAX } from "../../../../base/option-checks.ts";
import { thrownText } from "../../../../base/thrown-text.ts";
import { Alarm } from "../../alarm.ts";
import {
  type Candidate,
  type CandidateSet,
  type DiscoveringNode,
  type DiscoveryProvider,
  type ProviderContext,
  pause,
} from "../../provider.ts";
import { FloodGuard } from "./flood-guard.ts";
import type { GossipFormat } from "./gossip-format.ts";
import {
  type GossipOptions,
  type GossipPlan,
  gossipPlan,
  gossipSecrets,
} from "./gossip-options.ts";
import { libclusterFormat, PLAIN_CODEC, secretCodec } from "./libcluster-format.ts";
import { MulticastSocket } from "./multicast-socket.ts";
import { signedFormat } from "./signed-format.ts";

/** Most nodes that wait to be told of. */
const HEARD_MAX = 1_024;

/**
 * Nodes that tell a multicast group of themselves, and hear of each other. Sets are not complete.
 *
 * @throws FoundationError `invalid_options`, also for `signed` without a secret
 */
export function gossipProvider(options: GossipOptions = {}): DiscoveryProvider {
  const plan = gossipPlan(options);
  return {
    kind: "gossip",
    announces: true,
    label: `gossip ${plan.multicastAddress}:${plan.port} ${plan.format}`,
    candidates: (context) => heartbeats(plan, context),
  };
}

async function* heartbeats(
  plan: GossipPlan,
  context: ProviderContext,
): AsyncGenerator<CandidateSet> {
  if (context.signal.aborted) return;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  const { clock, random } = context;
  const format = formatOf(plan, context);
  const heard = new Heard(format, context);
  const socket = await open(plan, heard);
  const send = async (): Promise<void> => {
    while (!signal.aborted) {
      await socket.send(format.seal());
      await pause({ clock, signal }, 1 + Math.floor(random() * plan.intervalMs));
    }
  };
  const sending = send().catch((thrown: unknown) => heard.fail(thrown));
  try {
    while (!signal.aborted) {
      await heard.alarm.wait({ clock, signal }, DELAY_MS_MAX);
      const candidates = heard.take();
      if (candidates.length > 0) yield { candidates, isComplete: false };
    }
  } catch (thrown) {
    throw failure(plan, thrown);
  } finally {
    ended.abort();
    await sending;
    await socket.close();
  }
}

async function open(plan: GossipPlan, heard: Heard): Promise<MulticastSocket> {
  try {
    const hear = (packet: Buffer, source: string): void => heard.hear(packet, source);
    return await MulticastSocket.open(plan, hear, (error) => heard.fail(error));
  } catch (thrown) {
    throw failure(plan, thrown);
  }
}

function failure(plan: GossipPlan, cause: unknown): FoundationError {
  const { port, multicastAddress, interfaceAddress } = plan;
  const where = `gossip at ${multicastAddress}:${port} by ${interfaceAddress}`;
  const text = `${where}: ${thrownText(cause)}; interfaceAddress says which network is meant`;
  const context = { port, multicastAddress, interfaceAddress };
  return new FoundationError("discovery_failed", text, { cause, context });
}

function formatOf(plan: GossipPlan, { self, clock }: ProviderContext): GossipFormat {
  const secrets = gossipSecrets(plan);
  const [secret] = secrets;
  if (plan.format === "signed") {
    const wallNow = (): number => clock.wallNow();
    return signedFormat({ secrets, self, clockWindowMs: plan.clockWindowMs, wallNow });
  }
  const codec = secret === undefined ? PLAIN_CODEC : secretCodec(secret);
  return libclusterFormat(codec, libclusterName(plan, self), plan.nodePort ?? self.port);
}

function libclusterName({ basename }: GossipPlan, { name, host }: DiscoveringNode): string {
  if (basename !== undefined) return `${basename}@${host}`;
  return name.includes("@") ? name : `${name}@${host}`;
}

/** Those that were heard and are not told of yet. */
class Heard {
  readonly alarm = new Alarm();
  readonly #format: GossipFormat;
  readonly #context: ProviderContext;
  readonly #guard: FloodGuard;
  readonly #waiting = new Map<string, Candidate>();
  #failure: { readonly thrown: unknown } | undefined;

  constructor(format: GossipFormat, context: ProviderContext) {
    this.#format = format;
    this.#context = context;
    this.#guard = new FloodGuard(context.clock.now());
  }

  /** Looks at a packet of a sender. */
  hear(packet: Buffer, source: string): void {
    const { clock, note } = this.#context;
    if (!this.#guard.admits(source, clock.now())) return note("flood");
    const heard = this.#format.open(packet);
    if (heard === "own") return;
    if (typeof heard === "string") return note(heard);
    if (this.#waiting.size >= HEARD_MAX && !this.#waiting.has(heard.address))
      return note("tooMany");
    this.#waiting.set(heard.address, heard);
    this.alarm.ring();
  }

  fail(thrown: unknown): void {
    this.#failure ??= { thrown };
    this.alarm.ring();
  }

  /** Those that wait; throws what keeps this node from hearing. */
  take(): readonly Candidate[] {
    if (this.#failure !== undefined) throw this.#failure.thrown;
    const candidates = [...this.#waiting.values()];
    this.#waiting.clear();
    return candidates;
  }
}
