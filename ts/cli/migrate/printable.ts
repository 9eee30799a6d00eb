import type { LibclusterMigration } from "../../compat/index.ts";

/** A migration with names of environment variables where secrets were. */
export interface PrintableMigration {
  readonly migration: LibclusterMigration;
  /** Variables that the secrets have to be put into. */
  readonly variables: readonly string[];
}

/** Replaces secrets by references to the environment, so that neither screen nor file has them. */
export function withoutSecrets(migration: LibclusterMigration): PrintableMigration {
  const variables: string[] = [];
  const sources = migration.config.discovery.sources.map((source) => {
    const { provider } = source;
    if (!("options" in provider) || typeof provider.options["secret"] !== "string") return source;
    const variable = `GOSSIP_SECRET${variables.length === 0 ? "" : `_${variables.length + 1}`}`;
    variables.push(variable);
    const options = { ...provider.options, secret: `env:${variable}` };
    return { ...source, provider: { ...provider, options } };
  });
  return { migration: { ...migration, config: { discovery: { sources } } }, variables };
}
