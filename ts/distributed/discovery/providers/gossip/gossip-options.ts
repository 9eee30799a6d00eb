import { isIPv4 } from "node:net";
import { FoundationError } from "../../../../base/errors.ts";
import {
  checkCount,
  checkDelay,
  checkKeys,
  checkKind,
  checkWord,
} from "../../../../base/option-checks.ts";
import { type Secret, secretBytes, secretDigits } from "../../../../kernel/secrets.ts";
import { checkEntryOptions, checkPort } from "../../entries.ts";

/** Nodes that tell a multicast group of themselves. Defaults: {@link GOSSIP_DEFAULTS}. */
export interface GossipOptions {
  /**
   * Whose heartbeats are understood: `signed` is ours, each proven by the secret and counted once;
   * `libcluster` is that of libcluster's Gossip strategy, which proves nothing. Unit: word.
   * Default: `signed`.
   */
  readonly format?: "signed" | "libcluster";
  /**
   * What the nodes share: text, bytes, `env:NAME` or `file:PATH`, read at each start. `signed`
   * wants one of at least 16 bytes; with `libcluster` it is what libcluster calls so.
   * Unit: secret. Default: none.
   */
  readonly secret?: Secret;
  /**
   * With `signed`: several in place of `secret`, while it is changed; the first signs, each is
   * understood. Unit: secrets, 1 to 8. Default: none.
   */
  readonly secrets?: readonly Secret[];
  /** UDP port of the group. Unit: port number. Default: 45,892. */
  readonly port?: number;
  /**
   * The group, or the broadcast address with `broadcastOnly`. Unit: IPv4 address.
   * Default: 233.252.1.32.
   */
  readonly multicastAddress?: string;
  /**
   * How far heartbeats go: 1 stays in the own network, and each router takes one off. Unit: hops,
   * 0 to 255. Default: 1.
   */
  readonly multicastTtl?: number;
  /**
   * The own address in the network that is listened to; with 0.0.0.0 the routes say which.
   * Unit: IPv4 address. Default: 0.0.0.0.
   */
  readonly interfaceAddress?: string;
  /**
   * The own address in the network that is sent to. Unit: IPv4 address. Default:
   * `interfaceAddress`.
   */
  readonly multicastInterface?: string;
  /** Heartbeats are broadcasts, no group is joined. Unit: switch. Default: false. */
  readonly broadcastOnly?: boolean;
  /**
   * Longest pause between two heartbeats; each is drawn from 1 up to it. Unit: ms.
   * Default: 5,000.
   */
  readonly intervalMs?: number;
  /** With `signed`: how far two clocks may be apart. Unit: ms, 1 to 600,000. Default: 30,000. */
  readonly clockWindowMs?: number;
  /**
   * With `libcluster`: where nodes listen, for its heartbeats have no port. Unit: port number.
   * Default: the port of this node.
   */
  readonly nodePort?: number;
  /**
   * With `libcluster`: this node calls itself `basename@ip`. Unit: name. Default: its own name,
   * with `@ip` where it has no `@`.
   */
  readonly basename?: string;
}

/** What gossip is unless its options say otherwise. */
export const GOSSIP_DEFAULTS = Object.freeze({
  format: "signed", // anybody on the network can forge the other one
  port: 45_892, // libcluster's
  multicastAddress: "233.252.1.32", // libcluster's since its 3.3.0
  multicastTtl: 1, // libcluster's: stays in the own network
  interfaceAddress: "0.0.0.0", // libcluster's
  broadcastOnly: false, // libcluster's
  intervalMs: 5_000, // libcluster's
  clockWindowMs: 30_000, // clocks that nobody sets for a month stray by less
});

type Bare = "secret" | "secrets" | "multicastInterface" | "nodePort" | "basename";

/** Options with their defaults, checked. */
export type GossipPlan = Required<Omit<GossipOptions, Bare>> & Pick<GossipOptions, Bare>;

const BARE: readonly Bare[] = ["secret", "secrets", "multicastInterface", "nodePort", "basename"];
/** Each packet that is none of ours is looked at with each of them. */
const SECRETS_MAX = 8;
/** What is remembered of those that were heard grows with it. */
const CLOCK_WINDOW_MS_MAX = 600_000;

/**
 * Options with their defaults, each looked at.
 *
 * @throws FoundationError `invalid_options`
 */
export function gossipPlan(options: GossipOptions): GossipPlan {
  checkKeys("Providers.gossip", options, [...Object.keys(GOSSIP_DEFAULTS), ...BARE]);
  const plan: GossipPlan = { ...GOSSIP_DEFAULTS, ...options };
  checkWord("format", plan.format, ["signed", "libcluster"]);
  checkPort("port", plan.port);
  if (plan.nodePort !== undefined) checkPort("nodePort", plan.nodePort);
  for (const name of ["multicastAddress", "interfaceAddress", "multicastInterface"] as const) {
    const value = plan[name] ?? "0.0.0.0";
    checkKind(name, typeof value === "string" && isIPv4(value), "an IPv4 address");
  }
  checkKind("broadcastOnly", typeof plan.broadcastOnly === "boolean", "true or false");
  const firstByte = Number(plan.multicastAddress.split(".")[0]);
  const isGroup = firstByte >= 224 && firstByte <= 239;
  checkKind("multicastAddress", plan.broadcastOnly || isGroup, "a group, 224.0.0.0 and above");
  checkKind("multicastTtl", checkCount("multicastTtl", plan.multicastTtl, 0) < 256, "at most 255");
  checkKind("intervalMs", checkDelay("intervalMs", plan.intervalMs) >= 1, "at least 1 ms");
  const { clockWindowMs } = plan;
  const isWindow = checkDelay("clockWindowMs", clockWindowMs) >= 1;
  checkKind("clockWindowMs", isWindow && clockWindowMs <= CLOCK_WINDOW_MS_MAX, "1 to 600,000 ms");
  checkBasename(plan);
  gossipSecrets(plan);
  return plan;
}

function checkBasename({ format, basename, nodePort }: GossipPlan): void {
  checkEntryOptions("Providers.gossip", { ...(basename !== undefined && { basename }) });
  if (format === "signed" && (basename !== undefined || nodePort !== undefined)) {
    const text = "basename and nodePort go with the format libcluster: signed heartbeats have both";
    throw new FoundationError("invalid_options", text);
  }
}

/**
 * The secrets, read from where they are, the one to sign with first. `libcluster` has one at most.
 *
 * @throws FoundationError `invalid_options` where `signed` has none, or a short one
 */
export function gossipSecrets({ format, secret, secrets }: GossipPlan): readonly Uint8Array[] {
  if (secrets !== undefined) {
    checkKind("secrets", format === "signed" && secret === undefined, "in place of one, if signed");
    const isList = Array.isArray(secrets) && secrets.length > 0 && secrets.length <= SECRETS_MAX;
    checkKind("secrets", isList, `a list of 1 to ${SECRETS_MAX}`);
  }
  if (format === "signed") {
    const all = secrets ?? (secret === undefined ? [] : [secret]);
    if (all.length > 0) return all.map((one) => Buffer.from(secretDigits(one, "secret"), "hex"));
    const text = "signed gossip needs a secret; format: 'libcluster' is the one without";
    throw new FoundationError("invalid_options", text);
  }
  if (secret === undefined) return [];
  const bytes = secretBytes(secret, "secret");
  checkKind("secret", bytes.length > 0, "a text that is not empty");
  return [bytes];
}
