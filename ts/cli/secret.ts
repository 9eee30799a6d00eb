import { usageError } from "./exit.ts";

/**
 * The shared secret from an environment variable. It is never an argument: those are readable by
 * every user of the machine.
 */
export function readSecret(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const secret = process.env[variable];
  if (secret !== undefined && secret !== "") return secret;
  throw usageError("secret_missing", `the environment variable ${variable} is not set or empty`);
}
