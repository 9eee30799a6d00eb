import type { LibclusterMigration, LibclusterSource, ReportLine } from "../../compat/index.ts";

/** A migration with names of environment variables where secrets were. */
export interface PrintableMigration {
  readonly migration: LibclusterMigration;
  /** Variables that the secrets have to be put into. */
  readonly variables: readonly string[];
}

/**
 * Replaces secrets by references to the environment, so that neither screen nor file has them, and
 * warns of what only a program can hold: functions, and providers of the user's own.
 */
export function printed(migration: LibclusterMigration): PrintableMigration {
  const { sources } = migration.config.discovery;
  const variables: string[] = [];
  const shown = sources.map((source) => withoutSecret(source, variables));
  const warnings = [...migration.warnings, ...sources.flatMap((_, at) => lost(migration, at))];
  const config = { discovery: { sources: shown } };
  return { migration: { ...migration, config, warnings }, variables };
}

function withoutSecret(source: LibclusterSource, variables: string[]): LibclusterSource {
  const { provider } = source;
  if (!("options" in provider) || typeof provider.options["secret"] !== "string") return source;
  const variable = `GOSSIP_SECRET${variables.length === 0 ? "" : `_${variables.length + 1}`}`;
  variables.push(variable);
  const options = { ...provider.options, secret: `env:${variable}` };
  return { ...source, provider: { ...provider, options } };
}

function lost({ config, topologies }: LibclusterMigration, at: number): readonly ReportLine[] {
  const source = config.discovery.sources[at] as LibclusterSource;
  const functions = Object.entries(source).filter(([, value]) => typeof value === "function");
  const keys = functions.map(([key]) => key);
  if (!("options" in source.provider)) keys.unshift("provider");
  const topology = topologies.find((one) => one.source === at)?.name;
  return keys.map((key) => {
    const text = `it is not printed, for it is code: put it into discovery.sources[${at}].${key}`;
    return { topology, key, position: undefined, text };
  });
}
