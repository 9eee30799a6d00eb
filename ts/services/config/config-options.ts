import { attempt, FoundationError } from "../../base/errors.ts";
import { checkKeys, checkKind } from "../../base/option-checks.ts";
import { isPlainObject, type PlainObject } from "../toolkit/nested.ts";
import { DEFAULT_CONFIG } from "./config-defaults.ts";
import { mergeParts, readConfigFile, readEnvironment, type SourcePart } from "./config-sources.ts";
import type { PartialConfig } from "./config-types.ts";
import { checkValue } from "./config-values.ts";
import { isStandardSchema, type StandardSchema } from "./standard-schema.ts";

/** Where the configuration of a node comes from. Later sources count: files, environment, code. */
export interface ConfigOptions {
  /** JSON, YAML or TOML files, by extension, in order. Unit: paths. Default: none. */
  readonly files?: readonly string[];
  /**
   * Variables named `FOUNDATION__SECTION__KEY`: those of the process, others, or none. Unit: map of
   * names. Default: those of the process.
   */
  readonly env?: boolean | Readonly<Record<string, string | undefined>>;
  /** What code says. Unit: sections. Default: nothing. */
  readonly values?: PartialConfig & PlainObject;
  /** Standard Schemas of further sections, by name. Unit: schemas. Default: none. */
  readonly schemas?: Readonly<Record<string, StandardSchema>>;
  /** Further paths that can be changed while the program runs. Unit: paths. Default: none. */
  readonly updatable?: readonly (readonly string[])[];
}

const CONFIG_KEYS = ["files", "env", "values", "schemas", "updatable"];

/** What the sources say, and what of it nobody understood. */
export interface LoadedConfig {
  readonly initial: PlainObject;
  /** Names of the environment that the configuration does not have. */
  readonly ignored: readonly string[];
}

/**
 * Reads all sources.
 *
 * @throws FoundationError `invalid_options`, `config_not_found`, `format_error`, `data_too_large`,
 *   `invalid_config_value`, `security_violation` (1005) as `update`
 */
export async function loadConfig(options: ConfigOptions = {}): Promise<LoadedConfig> {
  checkKeys("config", options, CONFIG_KEYS);
  const { files = [], env = true, values = {}, schemas = {} } = options;
  for (const [name, schema] of Object.entries(schemas)) {
    if (isStandardSchema(schema)) continue;
    const text = `the schema of '${name}' is no Standard Schema (version 1)`;
    throw new FoundationError("invalid_options", text);
  }
  checkKind("values", isPlainObject(values), "an object of sections");
  const code = checked({ source: "code", values, ignored: [] });
  const parts: SourcePart[] = [];
  for (const file of files) parts.push(checked(await readConfigFile(file)));
  if (env !== false) {
    const below = { ...DEFAULT_CONFIG, ...mergeParts(parts), ...values } as PlainObject;
    const like = { ...below, ...DEFAULT_CONFIG };
    parts.push(readEnvironment(env === true ? process.env : env, like));
  }
  parts.push(code);
  return { initial: mergeParts(parts), ignored: parts.flatMap(({ ignored }) => ignored) };
}

/** What code and files say is checked as what `update` is given. */
function checked(part: SourcePart): SourcePart {
  const done = attempt(() => checkValue(part.values));
  if (done.ok) return part;
  const { source } = part;
  const options = { numericCode: 1005, context: { source }, cause: done.error };
  const text = `${source}: ${(done.error as Error).message}`;
  throw new FoundationError("security_violation", text, options);
}
