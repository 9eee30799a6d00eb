import { isDeepStrictEqual } from "node:util";
import { FoundationError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { deepMerge, isPlainObject, type PlainObject, putNested } from "../toolkit/nested.ts";
import { DEFAULT_CONFIG, UPDATABLE_PATHS } from "./config-defaults.ts";
import { canonicalPath, valueAt } from "./config-paths.ts";
import type { FoundationConfig, PartialConfig } from "./config-types.ts";
import { validateConfig } from "./config-validator.ts";
import { frozenCopy } from "./config-values.ts";
import { redactAt } from "./redaction.ts";

/** A difference between two configurations. */
export interface ConfigChange {
  readonly old: unknown;
  readonly new: unknown;
  readonly path: readonly string[];
}

/** Differences by key, to any depth; empty where there are none. */
export interface ConfigDiff {
  readonly [key: string]: ConfigDiff | ConfigChange;
}

/** The defaults, with parts of other configurations over them; the last one counts. */
export function buildConfig(...parts: readonly PlainObject[]): FoundationConfig {
  const merged = parts.reduce<PlainObject>(
    (below, part) => deepMerge(below, part),
    DEFAULT_CONFIG as unknown as PlainObject,
  );
  return frozenCopy(merged) as unknown as FoundationConfig;
}

/** A new configuration: the defaults with these parts over them. Not validated. */
export function newConfig(overrides: PartialConfig = {}): FoundationConfig {
  return buildConfig(overrides as unknown as PlainObject);
}

/** The configuration that nobody configured. */
export function resetConfig(): FoundationConfig {
  return newConfig();
}

/** Paths that can be changed while the program runs, in camelCase. */
export function updatablePaths(): readonly (readonly string[])[] {
  return UPDATABLE_PATHS;
}

/** Whether a path, in camelCase or snake_case, can be changed while the program runs. */
export function isUpdatablePath(
  path: readonly string[],
  more: readonly (readonly string[])[] = [],
): boolean {
  const wanted = canonicalPath(path);
  return [...UPDATABLE_PATHS, ...more].some((known) => isDeepStrictEqual(known, wanted));
}

/**
 * What lies at a path; the whole configuration for an empty one. `null` and `false` are found.
 *
 * @throws FoundationError `config_path_not_found` with the nearest known name
 */
export function getConfigValue(config: PlainObject, path: readonly string[]): unknown {
  const found = valueAt(config, path);
  if (found !== undefined) return found.value;
  const depth = path.findIndex(
    (_key, index) => valueAt(config, path.slice(0, index + 1)) === undefined,
  );
  const above = valueAt(config, path.slice(0, depth))?.value;
  const known = isPlainObject(above) ? Object.keys(above) : [];
  const guess = nearest(path[depth] ?? "", known);
  const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
  const text = `there is nothing at ${path.join(".")}${hint}`;
  throw new FoundationError("config_path_not_found", text, { context: { path } });
}

/**
 * The configuration with another value at a path that can be changed; the present one stays.
 *
 * @throws FoundationError `config_update_forbidden` with `allowedPaths`, and what `validateConfig`
 *   throws
 */
export function updateConfig(
  config: FoundationConfig,
  path: readonly string[],
  value: unknown,
): FoundationConfig {
  if (!isUpdatablePath(path)) throw forbidden(path, UPDATABLE_PATHS);
  const updated = putNested(config as unknown as PlainObject, canonicalPath(path), value);
  validateConfig(updated);
  return frozenCopy(updated);
}

/** The error of a path that cannot be changed. */
export function forbidden(
  path: readonly string[],
  allowedPaths: readonly (readonly string[])[],
): FoundationError {
  const text = `${path.join(".")} cannot be changed while the program runs`;
  return new FoundationError("config_update_forbidden", text, { context: { path, allowedPaths } });
}

/** What came from the environment over a configuration; keys that it does not have are left out. */
export function mergeEnvConfig(config: FoundationConfig, env: PlainObject): FoundationConfig {
  const known = knownPart(config as unknown as PlainObject, env);
  return frozenCopy(
    deepMerge(config as unknown as PlainObject, known),
  ) as unknown as FoundationConfig;
}

/** What code says over a configuration, section by section: a section replaces the one below. */
export function mergeOptsConfig(config: FoundationConfig, opts: PlainObject): FoundationConfig {
  return frozenCopy({ ...config, ...opts }) as unknown as FoundationConfig;
}

function knownPart(like: PlainObject, given: PlainObject): PlainObject {
  const entries = Object.entries(given)
    .filter(([key]) => Object.hasOwn(like, key))
    .map(([key, value]): [string, unknown] => {
      const below = like[key];
      if (!isPlainObject(below) || !isPlainObject(value)) return [key, value];
      return [key, knownPart(below, value)];
    });
  return Object.fromEntries(entries);
}

/** What differs between two configurations; secrets are not shown. */
export function diffConfigs(before: PlainObject, after: PlainObject): ConfigDiff {
  return diffAt(before, after, []);
}

function diffAt(before: PlainObject, after: PlainObject, path: readonly string[]): ConfigDiff {
  const diff: Record<string, ConfigDiff | ConfigChange> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [a, b] = [before[key], after[key]];
    const at = [...path, key];
    if (isDeepStrictEqual(a, b)) continue;
    if (isPlainObject(a) && isPlainObject(b)) diff[key] = diffAt(a, b, at);
    else diff[key] = { old: redactAt(at, a), new: redactAt(at, b), path: at };
  }
  return diff;
}
