import { createReadStream } from "node:fs";
import { extname, resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { messageOf, usageError } from "../exit.ts";

/** The beginning of a file: one byte more than is read, so that the reader refuses it. */
const CONTENT_BYTES_MAX = (1 << 20) + 1;

const MODULES: ReadonlySet<string> = new Set([".js", ".mjs", ".cjs"]);

/** What a module calls its topologies, the first that it has. */
const EXPORTS = ["libclusterTopologies", "topologies", "default"] as const;

/** The topologies of a file: its text, or what a module of JavaScript exports. */
export async function topologiesOf(file: string): Promise<string | object> {
  return MODULES.has(extname(file)) ? exported(file) : contentOf(file);
}

async function contentOf(file: string): Promise<string> {
  try {
    return await textOf(createReadStream(file, { end: CONTENT_BYTES_MAX - 1 }));
  } catch (thrown) {
    throw usageError("unreadable", `'${file}' cannot be read: ${messageOf(thrown)}`, thrown);
  }
}

async function exported(file: string): Promise<object> {
  const module = await imported(file);
  const name = EXPORTS.find((one) => module[one] !== undefined);
  const value = name === undefined ? undefined : module[name];
  if (typeof value === "object" && value !== null) return value;
  const text = `'${file}' exports no topologies: an object named ${EXPORTS.join(", ")}`;
  throw usageError("unreadable", text);
}

async function imported(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  } catch (thrown) {
    throw usageError("unreadable", `'${file}' cannot be run: ${messageOf(thrown)}`, thrown);
  }
}
