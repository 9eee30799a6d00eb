import { FoundationError } from "../base/errors.ts";
import type { LibclusterMigration, MigrationReport } from "../compat/index.ts";
import type { Discovery } from "../distributed/discovery/discovery.ts";
import type { DiscoverySource } from "../distributed/discovery/discovery-options.ts";
import { namedProvider } from "../distributed/discovery/providers.ts";
import type { FoundationStartOptions } from "../foundation.ts";
import { guardedLog, NO_LOG } from "../services/sinks.ts";
import type { Telemetry } from "../services/telemetry/telemetry.ts";

/** Options of other libraries, taken as they are (docs/migrate-libcluster.md). */
export interface CompatOptions {
  /**
   * Topologies of libcluster 3.5: an object, JSON, or a text in Elixir. In place of `discovery`.
   * Its telemetry and the lines of its log are reported, too. Unit: topologies. Default: none.
   */
  readonly libclusterTopologies?: string | object;
  /**
   * Overlays as Partisan names them, by name. In place of `overlays`; their channels are added to
   * `channels`. Unit: overlays. Default: none.
   */
  readonly partisanOverlays?: object;
}

interface Followed {
  readonly distributed: { readonly discovery: Discovery };
  readonly telemetry: Telemetry;
}

/** Options without those of other libraries. */
export interface CompatPlan {
  readonly options: Omit<FoundationStartOptions, keyof CompatOptions>;
  /** Has a node report what its search tells of in the names of libcluster. */
  follow(node: Followed): void;
}

const SHOWN_MAX = 5;

/** A node must not start without a part of what it was told. */
function checkSupported(where: string, { unsupported }: MigrationReport): void {
  if (unsupported.length === 0) return;
  const lines = unsupported.slice(0, SHOWN_MAX).map(({ topology, key, text }) => {
    const name = [topology, key].filter((part) => part !== undefined).join(".");
    return `${name}: ${text}`;
  });
  const text = `${where} has what nothing can be made of: ${lines.join("; ")}`;
  throw new FoundationError("invalid_options", text, { context: { unsupported } });
}

function checkAlone(one: string, other: string, isThere: boolean): void {
  if (!isThere) return;
  throw new FoundationError("invalid_options", `${one} takes the place of ${other}: give one`);
}

function sourcesOf(migration: LibclusterMigration): readonly DiscoverySource[] {
  return migration.config.discovery.sources.map((source) => {
    const { provider } = source;
    if ("candidates" in provider) return { ...source, provider };
    return { ...source, provider: namedProvider(provider.kind, provider.options) };
  });
}

/**
 * Makes options of what other libraries call so.
 *
 * @throws FoundationError `invalid_options` for a setting that nothing can be made of
 */
export async function withCompat(given: FoundationStartOptions): Promise<CompatPlan> {
  const { libclusterTopologies, partisanOverlays, ...options } = given;
  if (libclusterTopologies === undefined && partisanOverlays === undefined) {
    return { options, follow: () => {} };
  }
  const { fromLibcluster, fromPartisan, LibclusterReports } = await import("../compat/index.ts");
  let planned: CompatPlan["options"] = options;
  if (partisanOverlays !== undefined) {
    checkAlone("partisanOverlays", "overlays", options.overlays !== undefined);
    const migration = fromPartisan(partisanOverlays);
    checkSupported("partisanOverlays", migration);
    const { overlays, channels } = migration.config;
    planned = { ...planned, overlays, channels: { ...channels, ...options.channels } };
  }
  if (libclusterTopologies === undefined) return { options: planned, follow: () => {} };
  checkAlone("libclusterTopologies", "discovery", options.discovery !== undefined);
  const migration = fromLibcluster(libclusterTopologies);
  checkSupported("libclusterTopologies", migration);
  const sources = sourcesOf(migration);
  const log = guardedLog(options.log ?? NO_LOG);
  for (const { topology, text } of migration.warnings) {
    log.log("warn", `[libcluster:${topology ?? ""}] ${text}`, {});
  }
  const labels = sources.map(({ provider }) => ("label" in provider ? provider.label : ""));
  const follow = ({ distributed, telemetry }: Followed): void => {
    new LibclusterReports(migration, labels, { telemetry, log }).follow(distributed.discovery);
  };
  return { options: { ...planned, discovery: { sources } }, follow };
}
