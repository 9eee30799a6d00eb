import type { DiscoveryProvider } from "../../distributed/discovery/provider.ts";
import type { MigrationReport } from "../report.ts";
import type { Settings } from "../settings.ts";

/** Answer of a hook: whether it was done; `ignored` where the hook wants nothing to do with it. */
export type LibclusterAnswer = boolean | "ignored";

/** Functions in place of what a node does by itself. */
export interface LibclusterHooks {
  /** Connects to a node. Default: this node dials it. */
  readonly connect?: (node: string) => LibclusterAnswer | Promise<LibclusterAnswer>;
  /** Disconnects from a node. Default: this node hangs up. */
  readonly disconnect?: (node: string) => LibclusterAnswer | Promise<LibclusterAnswer>;
  /** Who counts as connected. Default: the members that are up. */
  readonly listNodes?: () => readonly string[] | Promise<readonly string[]>;
}

/** A provider as data: a function of `Providers`, and its argument. */
export interface ProviderData {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A source of the option `discovery`. Plain data, unless functions or a provider were given. */
export interface LibclusterSource extends LibclusterHooks {
  readonly provider: ProviderData | DiscoveryProvider;
  /** Where libcluster never disconnects, or is told not to. */
  readonly prune?: "never" | "immediate";
}

/** A topology, and where its source is. */
export interface MigratedTopology {
  readonly name: string;
  /** As it is written, without `Elixir.`. */
  readonly strategy: string;
  /** Index in `config.discovery.sources`; undefined where nothing was made of it. */
  readonly source: number | undefined;
}

/** What a configuration of libcluster is here. */
export interface LibclusterMigration extends MigrationReport {
  /** Options for `Foundation.start`. */
  readonly config: { readonly discovery: { readonly sources: readonly LibclusterSource[] } };
  readonly topologies: readonly MigratedTopology[];
}

/** What is not in a configuration of libcluster, for EPMD knows it there. */
export interface LibclusterOptions {
  /**
   * Where all nodes listen, for libcluster's names have no port. Unit: port number. Default: each
   * looks for the others at its own port.
   */
  readonly nodePort?: number;
  /**
   * `immediate` drops who is gone from a source at once, as libcluster does. Default: who is
   * gone from it for a time *and* not up.
   */
  readonly prune?: "immediate";
}

/** A strategy: makes a source of its settings, or tells in the report why not. */
export type Strategy = (
  settings: Settings,
  options: LibclusterOptions,
) => Omit<LibclusterSource, keyof LibclusterHooks> | undefined;

/** Options without those that are undefined, as a provider's data. */
export function providerData(
  kind: string,
  options: Readonly<Record<string, unknown>>,
): ProviderData {
  const set = Object.entries(options).filter(([, value]) => value !== undefined);
  return { kind, options: Object.fromEntries(set) };
}
