import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { attempt, FoundationError } from "../../base/errors.ts";
import { deepMerge, isPlainObject, type PlainObject, putNested } from "../toolkit/nested.ts";
import { camelCase, valueAt } from "./config-paths.ts";

/** Begins the names of environment variables that set something. */
const PREFIX = "FOUNDATION__";
const FILE_BYTES_MAX = 1 << 20;
/** Warnings of the parser would quote the file. */
const YAML_OPTIONS = { maxAliasCount: 100, logLevel: "error" } as const;

/** What one source says, and what of it nobody understood. */
export interface SourcePart {
  /** `file:PATH`, `env` or `code`. */
  readonly source: string;
  readonly values: PlainObject;
  /** Names that the configuration does not have. */
  readonly ignored: readonly string[];
}

/**
 * Reads a configuration file: JSON, YAML or TOML, by its extension. Keys may be in snake_case.
 *
 * @throws FoundationError `config_not_found`, `format_error`, `data_too_large`
 */
export async function readConfigFile(path: string): Promise<SourcePart> {
  const bytes = await read(path);
  if (bytes.byteLength > FILE_BYTES_MAX) {
    const text = `${path} has more than ${FILE_BYTES_MAX} bytes`;
    throw new FoundationError("data_too_large", text, { context: { path } });
  }
  const parsed = await parse(path, bytes.toString("utf8"));
  if (isPlainObject(parsed)) {
    return { source: `file:${path}`, values: camelKeys(parsed) as PlainObject, ignored: [] };
  }
  throw new FoundationError("format_error", `${path} holds no sections`, { context: { path } });
}

async function read(path: string): Promise<Buffer> {
  const bytes = await attempt(async () => readFile(path));
  if (bytes.ok) return bytes.value;
  throw new FoundationError("config_not_found", `${path} cannot be read`, { cause: bytes.error });
}

async function parse(path: string, text: string): Promise<unknown> {
  const read = await parserOf(path);
  const parsed = attempt(() => read(text));
  if (parsed.ok) return parsed.value;
  const place = placeOf(parsed.error, text);
  const where = place === undefined ? "" : `, line ${place.line}, column ${place.column}`;
  // Without its cause: that quotes the file, and secrets with it.
  const message = `${path}${where}: cannot be understood`;
  throw new FoundationError("format_error", message, { context: { path, ...place } });
}

/** Where a parser stumbled, as far as it says. Both count from 1. */
function placeOf(thrown: unknown, text: string): { line: number; column: number } | undefined {
  const { line, column, linePos, message } = thrown as {
    readonly line?: unknown;
    readonly column?: unknown;
    readonly linePos?: readonly { readonly line: number; readonly col: number }[];
    readonly message?: unknown;
  };
  if (typeof line === "number" && typeof column === "number") return { line, column };
  const [first] = linePos ?? [];
  if (first !== undefined) return { line: first.line, column: first.col };
  const position = / at position (\d+)/.exec(String(message))?.[1];
  if (position === undefined) return undefined;
  const before = text.slice(0, Number(position)).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

// Loaded where they are needed: most programs configure in code.
async function parserOf(path: string): Promise<(text: string) => unknown> {
  switch (extname(path).toLowerCase()) {
    case ".json":
      return (text) => JSON.parse(text) as unknown;
    case ".yaml":
    case ".yml": {
      const yaml = await import("yaml");
      return (text) => yaml.parse(text, YAML_OPTIONS) as unknown;
    }
    case ".toml":
      return (await import("smol-toml")).parse;
    default:
      throw new FoundationError(
        "format_error",
        `${path} ends with none of .json, .yaml, .yml, .toml`,
        { context: { path } },
      );
  }
}

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [camelCase(key), camelKeys(inner)]),
  );
}

/**
 * What environment variables say: `FOUNDATION__AI__PLANNING__SAMPLING_RATE=0.5` sets
 * `ai.planning.samplingRate`. A value is read as the type that the default has.
 *
 * @throws FoundationError `invalid_config_value` where it cannot be
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  like: PlainObject,
): SourcePart {
  let values: PlainObject = {};
  const ignored: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text === undefined) continue;
    const path = name
      .slice(PREFIX.length)
      .split("__")
      .map((part) => camelCase(part.toLowerCase()));
    const known = valueAt(like, path);
    if (known === undefined || isPlainObject(known.value)) ignored.push(name);
    else values = putNested(values, path, typed(name, text, known.value));
  }
  return { source: "env", values, ignored };
}

function typed(name: string, text: string, like: unknown): unknown {
  const asNumber = Number(text);
  switch (typeof like) {
    case "number":
      if (text.trim() !== "" && Number.isFinite(asNumber)) return asNumber;
      break;
    case "boolean":
      if (text === "true" || text === "false") return text === "true";
      break;
    default:
      return text;
  }
  const message = `${name} must be a ${typeof like}`;
  throw new FoundationError("invalid_config_value", message, { numericCode: 1002 });
}

/** All sources in one; the later ones count. */
export function mergeParts(parts: readonly SourcePart[]): PlainObject {
  return parts.reduce<PlainObject>((below, { values }) => deepMerge(below, values), {});
}
