import { FoundationError } from "../../base/errors.ts";
import { fromLibcluster, type LibclusterMigration } from "../../compat/index.ts";
import { EXIT_CODES, messageOf, usageError } from "../exit.ts";
import { print, writeOutput } from "../output.ts";
import { migrationText, problemsText } from "./migration-text.ts";
import { printed } from "./printable.ts";
import { topologiesOf } from "./topologies.ts";

/** The command line of `foundation migrate libcluster`. */
export interface MigrateLibclusterArguments {
  /** Configuration in Elixir, topologies as JSON, or a module of JavaScript, which is run. */
  readonly file: string;
  /** File for report and options; `-` is standard output, and the text is left out then. */
  readonly json?: string;
  /** Prints what has to be looked at, and no options. */
  readonly check?: boolean;
  /** Where all nodes listen. Unit: port number. */
  readonly nodePort?: number;
  /** Disconnects who is gone from a source at once, as libcluster does. */
  readonly pruneImmediately?: boolean;
}

/** Makes options of a configuration of libcluster; 0 if all of it has a counterpart, else 1. */
export async function migrateLibclusterCommand(args: MigrateLibclusterArguments): Promise<number> {
  const { file, json, check } = args;
  const printable = printed(migrated(await topologiesOf(file), args));
  const { migration } = printable;
  if (json !== "-") print(check === true ? problemsText(migration) : migrationText(printable));
  if (json !== undefined) await writeOutput(json, `${JSON.stringify(migration, null, 2)}\n`);
  return migration.unsupported.length === 0 ? EXIT_CODES.success : EXIT_CODES.failed;
}

function migrated(
  topologies: string | object,
  { file, nodePort, pruneImmediately }: MigrateLibclusterArguments,
): LibclusterMigration {
  const options = {
    ...(nodePort !== undefined && { nodePort }),
    ...(pruneImmediately === true && { prune: "immediate" as const }),
  };
  try {
    return fromLibcluster(topologies, options);
  } catch (thrown) {
    if (!(thrown instanceof FoundationError)) throw thrown;
    throw usageError("unreadable", `${file}: ${messageOf(thrown)}`, thrown);
  }
}
