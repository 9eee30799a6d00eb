import { FoundationError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { checkKeys } from "../base/option-checks.ts";

/** How an overlay chooses its links. */
export type OverlayStrategy = "fullMesh" | "hyparview" | "clientServer" | "static";

/** What every overlay has. */
interface OverlayBase {
  /**
   * Channels whose broadcasts go over this overlay unless they name another one; each belongs to
   * one overlay. Default: none.
   */
  readonly channels?: readonly string[];
}

/** Everybody links to everybody. For up to some hundred nodes. */
export interface FullMeshOptions extends OverlayBase {
  /** Names it. */
  readonly strategy: "fullMesh";
}

/** Partial views that repair themselves. Defaults: {@link HYPARVIEW_DEFAULTS}. */
export interface HyParViewOptions extends OverlayBase {
  /** Names it. */
  readonly strategy: "hyparview";
  /** Links that the overlay keeps. Unit: links, 2 to 64. */
  readonly activeMax?: number;
  /** Nodes known in reserve. Unit: nodes, 1 to 256. */
  readonly passiveMax?: number;
  /** How often nodes exchange parts of what they know. Unit: ms, 100 to 600,000. */
  readonly shuffleMs?: number;
  /** Exchanges links for those of less round trip, one of them never. */
  readonly optimize?: boolean;
}

/** Clients link to servers, servers to each other. Defaults: {@link CLIENT_SERVER_DEFAULTS}. */
export interface ClientServerOptions extends OverlayBase {
  /** Names it. */
  readonly strategy: "clientServer";
  /** What this node is. */
  readonly role: "client" | "server";
  /** Servers that a client links to. Unit: links, 1 to 16. */
  readonly serversMax?: number;
}

/** Links to these nodes, and to whoever dials. */
export interface StaticOptions extends OverlayBase {
  /** Names it. */
  readonly strategy: "static";
  /** Names of the nodes that this one links to, at most 256. */
  readonly peers: readonly string[];
}

/** One overlay of a node. */
export type OverlayOptions =
  | FullMeshOptions
  | HyParViewOptions
  | ClientServerOptions
  | StaticOptions;

/** What a partial view is unless its options say otherwise. */
export const HYPARVIEW_DEFAULTS = Object.freeze({
  activeMax: 5, // the paper's figure for 10,000 nodes
  passiveMax: 30, // the paper's: six times the active view
  shuffleMs: 10_000, // a round of the paper, as others choose it
  optimize: false, // a cost that changes moves links; who wants near ones asks for it
});

/** What a client is unless its options say otherwise. */
export const CLIENT_SERVER_DEFAULTS = Object.freeze({
  serversMax: 2, // one may be lost at any time
});

/** Most overlays of one node: each has views and a broadcast tree of its own. */
export const OVERLAYS_MAX = 8;
/** Most nodes that a static overlay names. */
const STATIC_PEERS_MAX = 256;

const KEYS: Readonly<Record<OverlayStrategy, readonly string[]>> = {
  fullMesh: [],
  hyparview: Object.keys(HYPARVIEW_DEFAULTS),
  clientServer: ["role", ...Object.keys(CLIENT_SERVER_DEFAULTS)],
  static: ["peers"],
};

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  activeMax: [2, 64],
  passiveMax: [1, 256],
  shuffleMs: [100, 600_000],
  serversMax: [1, 16],
};

/** An overlay's strategy with every default filled in, as the native core reads it. */
export interface NativeStrategy {
  readonly strategy: OverlayStrategy;
  readonly activeMax?: number;
  readonly passiveMax?: number;
  readonly shuffleMs?: number;
  readonly optimize?: boolean;
  readonly role?: "client" | "server";
  readonly serversMax?: number;
  readonly peers?: readonly string[];
}

/** An overlay as the native core reads it. */
export interface NativeOverlay extends NativeStrategy {
  readonly name: string;
}

function invalid(message: string): FoundationError {
  return new FoundationError("invalid_options", message);
}

function checkNumbers(what: string, options: Readonly<Record<string, unknown>>): void {
  for (const [key, [min, max]] of Object.entries(RANGES)) {
    const value = options[key];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      throw invalid(`${key} of ${what} must be a whole number from ${min} to ${max}`);
    }
  }
}

function isName(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const bytes = Buffer.byteLength(value);
  return bytes >= 1 && bytes <= 255;
}

/**
 * Checks the strategy of an overlay and fills in its defaults.
 *
 * @throws FoundationError `invalid_options`
 */
export function resolveStrategy(
  what: string,
  options: Omit<OverlayOptions, "channels">,
): NativeStrategy {
  const strategies = Object.keys(KEYS) as OverlayStrategy[];
  const strategy = options?.strategy;
  if (!strategies.includes(strategy)) {
    const guess = nearest(String(strategy), strategies);
    const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
    const known = strategies.map((one) => `'${one}'`).join(", ");
    throw invalid(`strategy of ${what} must be one of ${known}, not '${String(strategy)}'${hint}`);
  }
  checkKeys(what, options, ["strategy", "channels", ...KEYS[strategy]]);
  const { channels: _channels, ...given } = options as Record<string, unknown>;
  checkNumbers(what, given);
  switch (strategy) {
    case "hyparview": {
      const resolved = { ...HYPARVIEW_DEFAULTS, ...given, strategy };
      if (typeof resolved.optimize !== "boolean") {
        throw invalid(`optimize of ${what} must be true or false`);
      }
      return resolved;
    }
    case "clientServer": {
      const { role } = given;
      if (role !== "client" && role !== "server") {
        throw invalid(`role of ${what} must be 'client' or 'server', not '${String(role)}'`);
      }
      return { ...CLIENT_SERVER_DEFAULTS, ...given, strategy, role };
    }
    case "static": {
      const { peers } = given;
      if (!Array.isArray(peers) || peers.length > STATIC_PEERS_MAX || !peers.every(isName)) {
        throw invalid(`peers of ${what} must be at most ${STATIC_PEERS_MAX} names of nodes`);
      }
      return { strategy, peers };
    }
    default:
      return { strategy };
  }
}

/**
 * Checks the overlays of a node, in the order in which they are numbered on every node.
 *
 * @throws FoundationError `invalid_options`
 */
export function resolveOverlays(
  overlays: Readonly<Record<string, OverlayOptions>>,
  declaredChannels: readonly string[],
): readonly NativeOverlay[] {
  const entries = Object.entries(overlays);
  if (entries.length === 0 || entries.length > OVERLAYS_MAX) {
    throw invalid(`overlays must be 1 to ${OVERLAYS_MAX} of them`);
  }
  const taken = new Map<string, string>();
  return entries.map(([name, options]) => {
    const what = `overlay '${name}'`;
    if (!isName(name)) throw invalid(`the name of ${what} must have 1 to 255 bytes`);
    for (const channel of options?.channels ?? []) {
      const other = taken.get(channel);
      if (other !== undefined) {
        throw invalid(`channel '${channel}' is of two overlays, '${other}' and '${name}'`);
      }
      if (!declaredChannels.includes(channel)) {
        const guess = nearest(channel, declaredChannels);
        const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
        throw invalid(`${what} names no channel of this node: '${channel}'${hint}`);
      }
      taken.set(channel, name);
    }
    return { name, ...resolveStrategy(what, options) };
  });
}
