import { writeFile } from "node:fs/promises";
import { messageOf, usageError } from "./exit.ts";

/** Writes to standard output, as it is. */
export function print(text: string): void {
  process.stdout.write(text);
}

/**
 * Writes what a command was asked to write.
 *
 * @param file `-` is standard output
 * @throws CommandError `unwritable`, with the exit code of usage errors
 */
export async function writeOutput(file: string, text: string): Promise<void> {
  if (file === "-") return print(text);
  try {
    await writeFile(file, text);
  } catch (thrown) {
    throw usageError("unwritable", `'${file}' cannot be written: ${messageOf(thrown)}`, thrown);
  }
}
