import { FoundationError } from "../../base/errors.ts";
import type { PlainObject } from "../toolkit/nested.ts";
import { isSecretPath } from "./redaction.ts";

/** A problem that a schema found. */
interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/**
 * A schema of any library that speaks Standard Schema (version 1): valibot, zod, arktype and
 * others.
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** Whether a value is a schema. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return (
    typeof standard === "object" && standard !== null && Reflect.get(standard, "version") === 1
  );
}

/**
 * What a schema makes of a section.
 *
 * @throws FoundationError `validation_failed` (1001) with `issues`; `invalid_options` for a schema
 *   that answers later
 */
export function parseSection(name: string, schema: StandardSchema, value: unknown): PlainObject {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    const text = `the schema of '${name}' is asynchronous; configuration is checked at once`;
    throw new FoundationError("invalid_options", text);
  }
  if (result.issues === undefined) return result.value as PlainObject;
  const issues = result.issues.map(({ message, path }) => {
    const keys = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
    // What a library says of a value may quote it.
    const shown = isSecretPath([name, ...keys]) ? "is refused by its schema" : message;
    return { message: shown, path: [name, ...keys] };
  });
  const [first] = issues;
  const text = `${first?.path.join(".") ?? name}: ${first?.message ?? "is refused by its schema"}`;
  throw new FoundationError("validation_failed", text, { numericCode: 1001, context: { issues } });
}
