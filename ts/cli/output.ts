import { constants } from "node:fs";
import { access, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
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
  await unlessUnwritable(file, async () => writeFile(file, text));
}

/**
 * Finds out before long work whether there is a place for what comes of it. Writes nothing.
 *
 * @throws CommandError `unwritable`, as {@link writeOutput} would
 */
export async function checkOutput(file: string): Promise<void> {
  if (file === "-") return;
  await unlessUnwritable(file, async () => {
    const found = await stat(file).catch(() => undefined);
    if (found?.isDirectory() === true) throw new Error("it is a directory");
    await access(found === undefined ? dirname(file) : file, constants.W_OK);
  });
}

async function unlessUnwritable(file: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (thrown) {
    throw usageError("unwritable", `'${file}' cannot be written: ${messageOf(thrown)}`, thrown);
  }
}
