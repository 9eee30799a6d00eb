import type { JobBlocks } from "./job-memory.ts";

/** What a scheduler is told when it starts. */
export interface SchedulerOrder {
  readonly scheduler: number;
  /** Core that it is pinned to; undefined: it may run on any. */
  readonly core: number | undefined;
}

/** Work for a scheduler. */
export interface JobOrder {
  readonly job: number;
  readonly module: string;
  readonly export: string;
  readonly blocks: JobBlocks;
}

/** How an item ended: its place among the items, whether it succeeded, result or error. */
export type Outcome = readonly [index: number, isDone: boolean, value: unknown];

/** What a scheduler tells. */
export type Notice =
  | { readonly kind: "ready"; readonly isPinned: boolean; readonly threadId: number }
  /** `steals`: how often it took others' work since it last told. */
  | {
      readonly kind: "outcomes";
      readonly job: number;
      readonly outcomes: readonly Outcome[];
      readonly steals: number;
    }
  /** It finds no more items of a job. */
  | { readonly kind: "idle"; readonly job: number }
  /** It cannot work on a job at all. */
  | { readonly kind: "refused"; readonly job: number; readonly message: string };
