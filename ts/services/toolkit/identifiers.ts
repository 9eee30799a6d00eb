import { randomUUID } from "node:crypto";

let lastId = 0;

/** A number that no other call of this isolate gets. Unit: none; positive, growing. */
export function generateId(): number {
  lastId += 1;
  return lastId;
}

/** An unpredictable id that ties records of one operation together: a UUID of version 4. */
export function generateCorrelationId(): string {
  return randomUUID();
}

/** Time that never goes back. Unit: ms since an arbitrary moment, with fractions. */
export function monotonicTimestamp(): number {
  return performance.now();
}

/** The time of day. Unit: ns since 1970; its grain is that of the system's clock. */
export function wallTimestamp(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000)) * 1_000n;
}

/** Whether it is a whole number above zero. */
export function isValidPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
