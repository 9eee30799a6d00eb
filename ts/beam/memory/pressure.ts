/** Share of the budget from which on something is done about it; 0: nothing. Unit: percent. */
export type PressureLevel = 0 | 80 | 90 | 95 | 98;

/** What a pool did about its pressure. */
export type PressureAction = "clearFree" | "compress" | "evict" | "refuse" | "none";

/** A level was reached, or something was done about one. */
export interface PressureEvent {
  /** 0: it is over, the pool is below 80 percent. */
  readonly level: PressureLevel;
  readonly action: PressureAction;
  /** Blocks that were let go of, or binaries that were compressed or evicted. */
  readonly affected: number;
  /** What that gave back to the budget. */
  readonly freedBytes: number;
  /** What is used behind it. */
  readonly usedBytes: number;
  readonly budgetBytes: number;
}

/** Levels from the lowest, and what each of them has done. */
export const PRESSURE_STEPS = Object.freeze([
  { level: 80, action: "clearFree" },
  { level: 90, action: "compress" },
  { level: 95, action: "evict" },
  { level: 98, action: "refuse" },
] as const);

/** The level of a usage. */
export function levelOf(usedBytes: number, budgetBytes: number): PressureLevel {
  const percent = (100 * usedBytes) / budgetBytes;
  return PRESSURE_STEPS.findLast(({ level }) => percent >= level)?.level ?? 0;
}
