import { randomUUID } from "node:crypto";
import type { ErrorFacts } from "../../base/errors.ts";
import { generateId } from "../toolkit/identifiers.ts";

/** Breadcrumbs that a context keeps; older ones are left out and counted. */
export const BREADCRUMBS_MAX = 100;

/** A step on the way of an operation. */
export interface Breadcrumb {
  readonly module: string;
  readonly function: string;
  /** Unit: ms of the clock that the context was made with. */
  readonly timestamp: number;
  readonly metadata: ErrorFacts;
}

/** What is known of an operation that is under way. Immutable: changes give a new one. */
export interface OperationContext {
  readonly operationId: number;
  readonly correlationId: string;
  readonly module: string;
  readonly function: string;
  readonly metadata: ErrorFacts;
  readonly breadcrumbs: readonly Breadcrumb[];
  /** Breadcrumbs that were left out because there were more than a hundred. */
  readonly breadcrumbsDropped: number;
  /** Unit: ms of the clock that it was made with. */
  readonly startTime: number;
  readonly parentContext: OperationContext | undefined;
}

/** What can be said of an operation when its context is made. */
export interface OperationContextOptions {
  /** Ties it to a larger operation. Unit: id. Default: that of the parent, or a fresh UUID. */
  readonly correlationId?: string;
  /** Facts for logs. Unit: none. Default: none. */
  readonly metadata?: ErrorFacts;
  /** The operation that this one is part of. Unit: context. Default: none. */
  readonly parentContext?: OperationContext;
}

/** The context of an operation that begins at `now`, a time in ms, with its first breadcrumb. */
export function newContext(
  module: string,
  functionName: string,
  now: number,
  options: OperationContextOptions = {},
): OperationContext {
  const { parentContext, metadata = {} } = options;
  const empty: OperationContext = {
    operationId: generateId(),
    correlationId: options.correlationId ?? parentContext?.correlationId ?? randomUUID(),
    module,
    function: functionName,
    metadata,
    breadcrumbs: parentContext?.breadcrumbs ?? [],
    breadcrumbsDropped: parentContext?.breadcrumbsDropped ?? 0,
    startTime: now,
    parentContext,
  };
  return withBreadcrumb(empty, module, functionName, now, metadata);
}

/** A context with one step more. */
export function withBreadcrumb(
  context: OperationContext,
  module: string,
  functionName: string,
  now: number,
  metadata: ErrorFacts = {},
): OperationContext {
  const step = { module, function: functionName, timestamp: now, metadata };
  const all = [...context.breadcrumbs, step];
  const excess = Math.max(0, all.length - BREADCRUMBS_MAX);
  return {
    ...context,
    breadcrumbs: excess === 0 ? all : all.slice(excess),
    breadcrumbsDropped: context.breadcrumbsDropped + excess,
  };
}

/** A context that knows more; a key that was there gets the new value. */
export function withMetadata(context: OperationContext, metadata: ErrorFacts): OperationContext {
  return { ...context, metadata: { ...context.metadata, ...metadata } };
}

/** The way of an operation in one line: `Mod.fun (1.2ms ago) -> Mod.other (0.3ms ago)`. */
export function formatBreadcrumbs({ breadcrumbs }: OperationContext, now: number): string {
  return breadcrumbs
    .map((step) => `${step.module}.${step.function} (${(now - step.timestamp).toFixed(1)}ms ago)`)
    .join(" -> ");
}
