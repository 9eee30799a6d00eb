import type { ErrorCode } from "../../base/error-codes.ts";
import { FoundationError } from "../../base/errors.ts";
import { isPlainObject, type PlainObject } from "../toolkit/nested.ts";
import { DEFAULT_CONFIG } from "./config-defaults.ts";
import { valueAt } from "./config-paths.ts";
import { CONFIG_RULES, type Rule, type RuleNumber } from "./config-rules.ts";
import type { FoundationConfig } from "./config-types.ts";
import { isSecretPath } from "./redaction.ts";

const CODES: Readonly<Record<RuleNumber, ErrorCode>> = {
  1001: "validation_failed",
  1002: "invalid_config_value",
  1003: "constraint_violation",
  1004: "range_error",
};

/** A section of the configuration. */
export type SectionName = keyof FoundationConfig;

/** The sections, in the order in which they are looked at. */
export const SECTIONS = Object.keys(CONFIG_RULES) as readonly SectionName[];

/**
 * Checks a whole configuration; sections of the user's own are not looked at.
 *
 * @throws FoundationError `validation_failed` (1001), `invalid_config_value` (1002),
 *   `constraint_violation` (1003), `range_error` (1004), `invalid_config_structure` (1101),
 *   `missing_required_field` (1102); the first that is found
 */
export function validateConfig(config: unknown): asserts config is FoundationConfig {
  if (!isPlainObject(config)) {
    throw new FoundationError("invalid_config_structure", "a configuration is an object");
  }
  for (const name of SECTIONS) checkShape(config[name], DEFAULT_CONFIG[name], [name]);
  for (const name of SECTIONS)
    checkRules(CONFIG_RULES[name], config as unknown as FoundationConfig);
}

/**
 * Checks one section.
 *
 * @throws FoundationError as `validateConfig`
 */
export function validateSection(name: SectionName, section: unknown): void {
  checkShape(section, DEFAULT_CONFIG[name], [name]);
  checkRules(CONFIG_RULES[name], { ...DEFAULT_CONFIG, [name]: section });
}

function checkRules(rules: readonly Rule[], config: FoundationConfig): void {
  for (const { path, isMet, text, numericCode } of rules) {
    const value = valueAt(config as unknown as PlainObject, path)?.value;
    if (isMet(value, config)) continue;
    const shown = isSecretPath(path) ? "[redacted]" : value;
    const message = `${path.join(".")} must be ${text}`;
    const context = { path, value: shown };
    throw new FoundationError(CODES[numericCode], message, { numericCode, context });
  }
}

// Every object of the defaults has to be there, with its keys and no others.
function checkShape(value: unknown, like: unknown, path: readonly string[]): void {
  if (!isPlainObject(like)) return;
  const where = path.join(".");
  if (!isPlainObject(value)) {
    const text = `${where} must be an object`;
    throw new FoundationError("invalid_config_structure", text, { context: { path } });
  }
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(like, key)) continue;
    const text = `${where} has no '${key}'; it has ${Object.keys(like).join(", ")}`;
    const options = { numericCode: 1001, context: { path: [...path, key] } };
    throw new FoundationError("validation_failed", text, options);
  }
  for (const [key, inner] of Object.entries(like)) {
    if (!Object.hasOwn(value, key)) {
      const text = `${where} lacks '${key}'`;
      throw new FoundationError("missing_required_field", text, {
        context: { path: [...path, key] },
      });
    }
    checkShape(value[key], inner, [...path, key]);
  }
}
