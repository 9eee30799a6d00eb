import { FoundationError } from "../../../base/errors.ts";
import { checkKeys, checkKind } from "../../../base/option-checks.ts";
import { checkPeriod } from "../asking.ts";
import { checkEntryOptions, ENTRY_KEYS, type EntryOptions, readEntries } from "../entries.ts";
import { type DiscoveryProvider, polled } from "../provider.ts";

/** A list in the environment. Defaults: {@link ENVIRONMENT_DEFAULTS}. */
export interface EnvironmentOptions extends EntryOptions {
  /** The variable with the list, like `SEEDS`. */
  readonly variable: string;
  /** Pause between two looks; a program may set the variable later. Unit: ms. Default: 5,000. */
  readonly pollMs?: number;
}

/** How often the environment is looked at unless the options say otherwise. */
export const ENVIRONMENT_DEFAULTS = Object.freeze({
  pollMs: 5_000, // as other sources; a look costs nothing
});

/**
 * Addresses in a variable of the environment, between commas or blanks:
 * `SEEDS="10.0.0.7:7000, app@10.0.0.8"`. A variable that is not set is an error of the source, an
 * empty one is an empty answer.
 *
 * @throws FoundationError `invalid_options`
 */
export function environmentProvider(options: EnvironmentOptions): DiscoveryProvider {
  const where = "Providers.environment";
  checkKeys(where, options, [...ENTRY_KEYS, "variable", "pollMs"]);
  checkEntryOptions(where, options);
  const { variable, pollMs = ENVIRONMENT_DEFAULTS.pollMs } = options;
  const isNamed = typeof variable === "string" && /^[^=\0]+$/.test(variable);
  checkKind(`variable of ${where}`, isNamed, "the name of a variable");
  checkPeriod(`pollMs of ${where}`, pollMs);
  return {
    kind: "environment",
    label: `environment ${variable}`,
    candidates: (context) =>
      polled(context, pollMs, async () => {
        const text = process.env[variable];
        if (text === undefined) {
          throw new FoundationError("discovery_failed", `the variable ${variable} is not set`);
        }
        return readEntries(text.split(/[\s,]+/).filter(Boolean), options, context);
      }),
  };
}
