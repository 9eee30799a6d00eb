import { createReadStream } from "node:fs";
import { text as textOf } from "node:stream/consumers";
import { FoundationError } from "../../base/errors.ts";
import { fromLibcluster, type LibclusterMigration } from "../../compat/index.ts";
import { EXIT_CODES, messageOf, usageError } from "../exit.ts";
import { print, writeOutput } from "../output.ts";
import { migrationText, problemsText } from "./migration-text.ts";
import { withoutSecrets } from "./printable.ts";

/** The command line of `foundation migrate libcluster`. */
export interface MigrateLibclusterArguments {
  /** Configuration in Elixir, or topologies as JSON. */
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
  const printable = withoutSecrets(migrated(await contentOf(file), args));
  const { migration } = printable;
  if (json !== "-") print(check === true ? problemsText(migration) : migrationText(printable));
  if (json !== undefined) await writeOutput(json, `${JSON.stringify(migration, null, 2)}\n`);
  return migration.unsupported.length === 0 ? EXIT_CODES.success : EXIT_CODES.failed;
}

/** The beginning of a file: one byte more than is read, so that the reader refuses it. */
const CONTENT_BYTES_MAX = (1 << 20) + 1;

async function contentOf(file: string): Promise<string> {
  try {
    return await textOf(createReadStream(file, { end: CONTENT_BYTES_MAX - 1 }));
  } catch (thrown) {
    throw usageError("unreadable", `'${file}' cannot be read: ${messageOf(thrown)}`, thrown);
  }
}

function migrated(
  text: string,
  { file, nodePort, pruneImmediately }: MigrateLibclusterArguments,
): LibclusterMigration {
  const options = {
    ...(nodePort !== undefined && { nodePort }),
    ...(pruneImmediately === true && { prune: "immediate" as const }),
  };
  try {
    return fromLibcluster(text, options);
  } catch (thrown) {
    if (!(thrown instanceof FoundationError)) throw thrown;
    throw usageError("unreadable", `${file}: ${messageOf(thrown)}`, thrown);
  }
}
