import { isIPv4 } from "node:net";
import { DELAY_MS_MAX } from "../base/option-checks.ts";
import { ElixirTuple } from "./elixir/values.ts";
import type { Kind } from "./settings.ts";

function kind<Value>(what: string, read: (given: unknown) => Value | undefined): Kind<Value> {
  return Object.freeze({ what, read });
}

/** A list or tuple as a list; undefined for anything else. */
export function listOf(given: unknown): readonly unknown[] | undefined {
  if (given instanceof ElixirTuple) return given.items;
  return Array.isArray(given) ? (given as unknown[]) : undefined;
}

/** An atom, without the colon that JSON may have taken over from Elixir. */
export function atomText(given: unknown): string | undefined {
  return typeof given === "string" ? given.replace(/^:(?=\w)/, "") : undefined;
}

/** Whole numbers of a range. */
export function wholeNumber(least: number, most: number): Kind<number> {
  return kind(`a whole number from ${least} to ${most}`, (given) => {
    const isRight = Number.isInteger(given) && (given as number) >= least;
    return isRight && (given as number) <= most ? (given as number) : undefined;
  });
}

/** One of some atoms; the value is what stands for it here. */
export function oneOf<Value>(words: Readonly<Record<string, Value>>): Kind<Value> {
  return kind(`one of ${Object.keys(words).join(", ")}`, (given) => {
    const word = atomText(given);
    return word !== undefined && Object.hasOwn(words, word) ? words[word] : undefined;
  });
}

/** A text that is not empty. */
export const TEXT = kind("a string", (given) =>
  typeof given === "string" && given !== "" ? given : undefined,
);

/** A switch: true or false, no text. */
export const SWITCH = kind("true or false", (given) =>
  typeof given === "boolean" ? given : undefined,
);

/** A port of TCP or UDP. */
export const PORT = wholeNumber(1, 65_535);

/** A pause between two questions. */
export const INTERVAL = kind("a number of milliseconds of at least 100", (given) => {
  const isRight = typeof given === "number" && given >= 100 && given <= DELAY_MS_MAX;
  return isRight ? given : undefined;
});

/** An IPv4 address, as text or as a tuple of four numbers. */
export const IPV4 = kind('an IPv4 address, like "192.168.1.1" or {192, 168, 1, 1}', (given) => {
  const text = listOf(given)?.join(".") ?? given;
  return typeof text === "string" && isIPv4(text) ? text : undefined;
});
