import { FoundationError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { checkKeys } from "../base/option-checks.ts";

/** How an overlay chooses its links. */
export type OverlayStrategy = "fullMesh" | "hyparview" | "clientServer" | "static";

/**
 * What every overlay has. Options of a strategy other than the overlay's own count from when it is
 * switched to that one. Defaults: {@link OVERLAY_DEFAULTS}.
 */
export interface OverlayBase {
  /**
   * Channels whose broadcasts go over this overlay unless they name another one; each belongs to
   * one overlay. Default: none.
   */
  readonly channels?: readonly string[];
  /** `hyparview`: links that the overlay keeps. Unit: links, 2 to 64. */
  readonly activeMax?: number;
  /** `hyparview`: nodes known in reserve. Unit: nodes, 1 to 256. */
  readonly passiveMax?: number;
  /** `hyparview`: how often nodes exchange some of whom they know. Unit: ms, 100 to 600,000. */
  readonly shuffleMs?: number;
  /** `hyparview`: exchanges links for those of less round trip, all but one. */
  readonly optimize?: boolean;
  /** `clientServer`: what this node is. */
  readonly role?: "client" | "server";
  /** `clientServer`: servers that a client links to. Unit: links, 1 to 16. */
  readonly serversMax?: number;
}

/** Everybody links to everybody. For up to some hundred nodes. */
export interface FullMeshOptions extends OverlayBase {
  /** Names it. */
  readonly strategy: "fullMesh";
}

/** Partial views that repair themselves. */
export interface HyParViewOptions extends OverlayBase {
  /** Names it. */
  readonly strategy: "hyparview";
}

/** Clients link to servers, servers to each other. */
export interface ClientServerOptions extends OverlayBase {
  /** Names it. */
  readonly strategy: "clientServer";
  /** What this node is. */
  readonly role: "client" | "server";
}

/** Links to the node's seeds, and to those whose seed it is. */
export interface StaticOptions extends OverlayBase {
  /** Names it. */
  readonly strategy: "static";
}

/** One overlay of a node. */
export type OverlayOptions =
  | FullMeshOptions
  | HyParViewOptions
  | ClientServerOptions
  | StaticOptions;

/** What an overlay is unless its options say otherwise. */
export const OVERLAY_DEFAULTS = Object.freeze({
  activeMax: 5, // the paper's figure for 10,000 nodes
  passiveMax: 30, // the paper's: six times the active view
  shuffleMs: 10_000, // a round of the paper, as Partisan has it
  optimize: false, // a cost that changes moves links; who wants near ones asks for it
  role: "server" as "client" | "server", // any node can be one
  serversMax: 2, // one may be lost at any time
});

/** Most overlays of one node: each has views and a broadcast tree of its own. */
export const OVERLAYS_MAX = 8;

const STRATEGIES: readonly OverlayStrategy[] = ["fullMesh", "hyparview", "clientServer", "static"];

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  activeMax: [2, 64],
  passiveMax: [1, 256],
  shuffleMs: [100, 600_000],
  serversMax: [1, 16],
};

/** An overlay with every default filled in, as the native core reads it. */
export interface NativeOverlay extends Required<OverlayBase> {
  readonly name: string;
  readonly strategy: OverlayStrategy;
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

/** Checks a strategy by its name. */
export function checkStrategy(what: string, strategy: unknown): OverlayStrategy {
  const found = STRATEGIES.find((known) => known === strategy);
  if (found !== undefined) return found;
  const guess = nearest(String(strategy), STRATEGIES);
  const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
  const known = STRATEGIES.map((one) => `'${one}'`).join(", ");
  throw invalid(`strategy of ${what} must be one of ${known}, not '${String(strategy)}'${hint}`);
}

function resolveOverlay(name: string, options: OverlayOptions): NativeOverlay {
  const what = `overlay '${name}'`;
  checkKeys(what, options, ["strategy", "channels", ...Object.keys(OVERLAY_DEFAULTS)]);
  const strategy = checkStrategy(what, options.strategy);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const all = { ...OVERLAY_DEFAULTS, channels: [], ...Object.fromEntries(given), name, strategy };
  checkNumbers(what, all);
  if (typeof all.optimize !== "boolean") throw invalid(`optimize of ${what} must be true or false`);
  const { role } = all;
  const isMissing = strategy === "clientServer" && options.role === undefined;
  if (isMissing || (role !== "client" && role !== "server")) {
    throw invalid(`role of ${what} must be 'client' or 'server', not '${String(options.role)}'`);
  }
  return all;
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
    return resolveOverlay(name, options);
  });
}
