import { FoundationError } from "../../base/errors.ts";
import {
  checkCount,
  checkDelay,
  checkKeys,
  checkKind,
  checkWord,
} from "../../base/option-checks.ts";
import type { DiscoveryProvider } from "./provider.ts";
import { namedProvider } from "./providers.ts";
import type { PrunePolicy } from "./rules/pruning.ts";

/** Answer of a hook: whether it was done; `ignored` where the hook wants nothing to do with it. */
export type HookAnswer = boolean | "ignored";

/** A provider as data, as configurations have it. */
export interface NamedProvider {
  /** Name of a function of `Providers`. */
  readonly kind: string;
  /** Its argument. Unit: options. Default: none. */
  readonly options?: object;
}

/** A source of addresses, and what is done with what it says. */
export interface DiscoverySource {
  /** Who is asked. */
  readonly provider: DiscoveryProvider | NamedProvider;
  /** What becomes of a member that it lists no more. Default: that of all sources. */
  readonly prune?: PrunePolicy;
  /** How long it has to be gone with `grace`. Unit: ms. Default: that of all sources. */
  readonly graceMs?: number;
  /**
   * Connects in place of this node, given the candidate's name, or its address where it has none.
   * Default: the node dials the address.
   */
  readonly connect?: (node: string) => HookAnswer | Promise<HookAnswer>;
  /** Disconnects in place of this node. Default: the node hangs up. */
  readonly disconnect?: (node: string) => HookAnswer | Promise<HookAnswer>;
  /** Whom `connect` counts as connected. Default: the members that are up. */
  readonly listNodes?: () => readonly string[] | Promise<readonly string[]>;
}

/** How a node finds others. Defaults: {@link DISCOVERY_DEFAULTS}. */
export interface DiscoveryOptions {
  /** In the order of preference. At most 16. Unit: sources. */
  readonly sources: readonly (DiscoveryProvider | NamedProvider | DiscoverySource)[];
  /**
   * `all` asks all sources at once. `failover` asks the first; the next one joins in when those
   * before it gave no good answer for `failoverAfterMs`, and rests again when one of them does.
   */
  readonly use?: "all" | "failover";
  /** Unit: ms. */
  readonly failoverAfterMs?: number;
  /** What becomes of a member that is listed no more. */
  readonly prune?: PrunePolicy;
  /** How long it has to be gone from its sources with `grace`. Unit: ms. */
  readonly graceMs?: number;
  /** Candidates that are dialled at the same time. At most 64. Unit: dials. */
  readonly dialsMax?: number;
  /** How long an attempt to dial may take. Unit: ms. */
  readonly dialTimeoutMs?: number;
  /**
   * Who has left in good order is not dialled for so long, though a source lists it still, unless
   * the source drops it and lists it anew. Unit: ms.
   */
  readonly leftQuietMs?: number;
}

/** How a node finds others unless its options say otherwise. */
export const DISCOVERY_DEFAULTS = Object.freeze({
  use: "all" as "all" | "failover", // each is a hint, and hints add up
  failoverAfterMs: 15_000, // a restart of a small server, three polls of five seconds
  prune: "grace" as PrunePolicy, // no source alone takes a member away
  graceMs: 60_000, // a rolling restart of a source, twice its longest back-off of most
  dialsMax: 8, // what is learnt from the first ones need not be dialled
  dialTimeoutMs: 5_000, // a handshake over a bad line, and as long as two attempts of the core
  leftQuietMs: 60_000, // Kubernetes lists a pod for 30 s by default while it ends
});

/** A source with everything filled in. */
export interface ResolvedSource extends Omit<DiscoverySource, "provider" | "prune" | "graceMs"> {
  readonly provider: DiscoveryProvider;
  readonly prune: PrunePolicy;
  readonly graceMs: number;
}

/** Options with every default filled in. */
export interface ResolvedDiscovery extends Required<Omit<DiscoveryOptions, "sources">> {
  readonly sources: readonly ResolvedSource[];
}

const SOURCES_MAX = 16;
const PRUNES: readonly PrunePolicy[] = ["never", "grace", "immediate"];
const HOOKS = ["connect", "disconnect", "listNodes"] as const;
const SOURCE_KEYS = ["provider", "prune", "graceMs", ...HOOKS];

function isProvider(value: unknown): value is DiscoveryProvider {
  return typeof (value as Partial<DiscoveryProvider> | null)?.candidates === "function";
}

function isNamed(value: unknown): value is NamedProvider {
  return typeof (value as Partial<NamedProvider> | null)?.kind === "string";
}

function providerOf(value: unknown, where: string): DiscoveryProvider {
  if (isProvider(value)) return value;
  if (isNamed(value)) {
    checkKeys(where, value, ["kind", "options"]);
    return namedProvider(value.kind, value.options ?? {});
  }
  const text = `${where} must be a provider, as the functions of Providers make them, or a kind`;
  throw new FoundationError("invalid_options", text);
}

function resolveSource(
  given: DiscoveryProvider | NamedProvider | DiscoverySource,
  at: number,
  { prune, graceMs }: { readonly prune: PrunePolicy; readonly graceMs: number },
): ResolvedSource {
  const where = `sources[${at}] of discovery`;
  checkKind(where, typeof given === "object" && given !== null, "an object");
  if (!("provider" in given)) return { provider: providerOf(given, where), prune, graceMs };
  checkKeys(where, given, SOURCE_KEYS);
  for (const hook of HOOKS) {
    const value = given[hook];
    checkKind(
      `${hook} of ${where}`,
      ["undefined", "function"].includes(typeof value),
      "a function",
    );
  }
  const provider = providerOf(given.provider, `provider of ${where}`);
  return {
    ...given,
    provider,
    prune: checkWord(`prune of ${where}`, given.prune ?? prune, PRUNES),
    graceMs: checkDelay(`graceMs of ${where}`, given.graceMs ?? graceMs),
  };
}

/**
 * Fills in defaults and checks every option.
 *
 * @throws FoundationError `invalid_options`
 */
export function resolveDiscovery(options: DiscoveryOptions): ResolvedDiscovery {
  checkKeys("discovery", options, ["sources", ...Object.keys(DISCOVERY_DEFAULTS)]);
  const { sources, ...given } = options;
  checkKind("sources of discovery", Array.isArray(sources), "a list of providers");
  if (sources.length > SOURCES_MAX) {
    throw new FoundationError("invalid_options", `discovery has at most ${SOURCES_MAX} sources`);
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const all = { ...DISCOVERY_DEFAULTS, ...Object.fromEntries(set) };
  checkWord("use of discovery", all.use, ["all", "failover"]);
  checkWord("prune of discovery", all.prune, PRUNES);
  for (const key of ["failoverAfterMs", "graceMs", "dialTimeoutMs", "leftQuietMs"] as const) {
    checkDelay(`${key} of discovery`, all[key]);
  }
  checkCount("dialsMax of discovery", all.dialsMax);
  if (all.dialsMax > 64) throw new FoundationError("invalid_options", "dialsMax is at most 64");
  return { ...all, sources: sources.map((source, at) => resolveSource(source, at, all)) };
}

/**
 * The option `discovery` of a node in its longest form.
 *
 * @throws FoundationError `invalid_options`
 */
export function discoveryOptions(
  given: DiscoveryOptions | DiscoveryProvider | DiscoveryOptions["sources"],
): DiscoveryOptions {
  checkKind("discovery", typeof given === "object" && given !== null, "providers or options");
  if (Array.isArray(given)) return { sources: given };
  if (isProvider(given)) return { sources: [given] };
  return given as DiscoveryOptions;
}
