import { isPlainObject } from "../toolkit/nested.ts";

/** What stands where a secret was. */
export const REDACTED = "[redacted]";

const SECRET_NAME =
  /(?:api|encryption|private|access|secret)_?key|secret|password|token|credential/i;

/** Whether what lies under a name is a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Whether a path leads to a secret, or into one. */
export function isSecretPath(path: readonly string[]): boolean {
  return path.some(isSecretName);
}

/** A copy in which every secret that is set reads `[redacted]`. */
export function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isSet = inner !== null && inner !== undefined;
      return [key, isSecretName(key) && isSet ? REDACTED : redact(inner)];
    }),
  );
}

/** A value as it may be shown, by where it lies. */
export function redactAt(path: readonly string[], value: unknown): unknown {
  const isSet = value !== null && value !== undefined;
  return isSecretPath(path) && isSet ? REDACTED : redact(value);
}
