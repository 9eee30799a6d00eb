import { checkKind } from "../base/option-checks.ts";

const isText = (value: unknown): boolean => typeof value === "string";
const isSwitch = (value: unknown): boolean => typeof value === "boolean";
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isTable(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRange(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}

const KINDS: Readonly<Record<string, readonly [(value: unknown) => boolean, string]>> = {
  name: [isText, "text"],
  cluster: [isText, "text"],
  listen: [isText, "an address like 127.0.0.1:7000"],
  advertise: [isText, "an address like 10.0.0.7:7000"],
  seeds: [(value) => Array.isArray(value) && value.every(isText), "a list of addresses"],
  encrypt: [isSwitch, "true or false"],
  insecure: [isSwitch, "true or false"],
  channels: [isTable, "an object of channels by name"],
  overlays: [isTable, "an object of overlays by name"],
  kernelCore: [isCount, "the number of a core"],
  lifeStart: [isCount, "a whole number of starts"],
  protocolVersions: [isRange, "the lowest and the highest version"],
};

/**
 * Checks options that are neither numbers in a range nor words of a list; those left out are right.
 * A text in place of a switch would be one that is on, whatever it says.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkKinds(options: object): void {
  for (const [key, [isRight, kind]] of Object.entries(KINDS)) {
    const value: unknown = Reflect.get(options, key);
    if (value !== undefined) checkKind(key, isRight(value), kind);
  }
}
