import { usageError } from "./exit.ts";

/** Where a command finds the shared secret. */
export interface SecretArguments {
  /** Environment variable with the shared secret, so that it shows in no list of processes. */
  readonly secretEnv?: string;
  /** File with the shared secret. */
  readonly secretFile?: string;
}

/**
 * The option `secret` of a node, or nothing. The secret itself is never an argument: those are
 * readable by every user of the machine.
 */
export function secretOption({ secretEnv, secretFile }: SecretArguments): { secret?: string } {
  if (secretEnv !== undefined && secretFile !== undefined) {
    throw usageError("secret_twice", "give --secret-env or --secret-file, not both");
  }
  if (secretFile !== undefined) return { secret: `file:${secretFile}` };
  if (secretEnv === undefined) return {};
  if ((process.env[secretEnv] ?? "") !== "") return { secret: `env:${secretEnv}` };
  throw usageError("secret_missing", `the environment variable ${secretEnv} is not set or empty`);
}
