/** The public API of foundation-runtime. What is not exported here is internal. */
export type {
  ErrorCategory,
  ErrorClass,
  ErrorCode,
  RetryStrategy,
  Severity,
} from "./base/error-codes.ts";
export { ERROR_CODES, isErrorCode } from "./base/error-codes.ts";
export type { Attempt, ErrorContext, FoundationErrorOptions } from "./base/errors.ts";
export { attempt, FoundationError } from "./base/errors.ts";
export type { Unsubscribe } from "./base/typed-events.ts";
export type { AttachOptions } from "./kernel/foundation.ts";
export { Foundation } from "./kernel/foundation.ts";
export type { HandleOptions, MessageContext } from "./kernel/handlers.ts";
export type { InterruptOptions, IsolateHeap, NodeIsolate } from "./kernel/interrupts.ts";
export type { NodeKeys } from "./kernel/keys.ts";
export type { DownEvent, Member } from "./kernel/members.ts";
export type { Capabilities } from "./kernel/native.ts";
export { allocateShared, capabilities, openShared } from "./kernel/native.ts";
export { FoundationNode } from "./kernel/node.ts";
export type {
  Address,
  BroadcastReceipt,
  CallOptions,
  ChannelMetrics,
  DrainedOptions,
  LeaveOptions,
  NodeEvents,
  NodeMetrics,
  ReadyOptions,
  SendOptions,
} from "./kernel/node-types.ts";
export type { ChannelOptions, FoundationOptions } from "./kernel/options.ts";
export { CHANNEL_DEFAULTS, FOUNDATION_DEFAULTS } from "./kernel/options.ts";
export type { Secret } from "./kernel/secrets.ts";
export { release, toOwned } from "./kernel/slabs.ts";
export { FlatTable } from "./kernel/values.ts";
