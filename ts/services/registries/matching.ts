import { isDeepStrictEqual } from "node:util";
import type { PlainObject } from "../toolkit/nested.ts";

/**
 * Whether metadata have all the values that are wanted. Where they hold a list, one of its items is
 * enough; nested objects match in the same way.
 */
export function matches(metadata: PlainObject, wanted: PlainObject): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    if (!Object.hasOwn(metadata, key)) return false;
    const held = metadata[key];
    if (isDeepStrictEqual(held, value)) return true;
    if (Array.isArray(held) && !Array.isArray(value)) {
      return held.some((item) => isDeepStrictEqual(item, value));
    }
    if (Array.isArray(held) && Array.isArray(value)) {
      return value.every((one) => held.some((item) => isDeepStrictEqual(item, one)));
    }
    const isBoth = isObject(held) && isObject(value);
    return isBoth && matches(held, value);
  });
}

function isObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
