import type { ErrorCategory, ErrorClass, RetryStrategy, Severity } from "./error-class.ts";
import { SERVICE_ERROR_CODES, type ServiceErrorCode } from "./service-error-codes.ts";

/** Below it are the numbers of Foundation 1.x, which the services keep. */
const RUNTIME_NUMBERS = 20_000;

function row(
  number: number,
  category: ErrorCategory,
  severity: Severity,
  retryStrategy: RetryStrategy,
): ErrorClass {
  const numericCode = RUNTIME_NUMBERS + number;
  return Object.freeze({
    numericCode,
    severity,
    category,
    subcategory: undefined,
    retryStrategy,
  });
}

/** Codes of processes, messages and the core; docs/errors.md explains each. */
export const RUNTIME_ERROR_CODES = Object.freeze({
  invalid_options: row(1001, "options", "high", "none"),
  insecure_bind: row(1002, "options", "critical", "none"),
  unknown_channel: row(1003, "options", "high", "none"),
  name_refused: row(1004, "options", "medium", "none"),
  name_taken: row(1005, "options", "medium", "none"),
  not_root_isolate: row(1006, "options", "high", "none"),
  insecure_dial: row(1007, "options", "critical", "none"),
  unknown_key: row(1008, "options", "high", "none"),
  key_in_use: row(1009, "options", "medium", "none"),
  too_many_keys: row(1010, "options", "medium", "none"),
  listen_failed: row(2001, "connection", "high", "backoff"),
  join_failed: row(2002, "connection", "high", "backoff"),
  not_ready: row(2003, "connection", "medium", "backoff"),
  noconnection: row(2004, "connection", "medium", "backoff"),
  auth_failed: row(2005, "connection", "critical", "none"),
  cluster_mismatch: row(2006, "connection", "high", "none"),
  version_mismatch: row(2007, "connection", "high", "none"),
  duplicate_node: row(2008, "connection", "high", "backoff"),
  peer_leaving: row(2009, "connection", "medium", "backoff"),
  no_overlays: row(2040, "connection", "medium", "none"),
  unknown_overlay: row(2041, "connection", "medium", "none"),
  topology_mismatch: row(2042, "connection", "medium", "none"),
  switch_under_way: row(2043, "connection", "medium", "backoff"),
  switch_failed: row(2044, "connection", "high", "backoff"),
  discovery_failed: row(2050, "connection", "high", "backoff"),
  write_failed: row(2030, "connection", "medium", "none"),
  noproc: row(3001, "delivery", "medium", "none"),
  timeout: row(3002, "delivery", "medium", "backoff"),
  aborted: row(3003, "delivery", "low", "none"),
  message_too_large: row(3004, "delivery", "medium", "none"),
  remote_exhausted: row(3006, "delivery", "high", "backoff"),
  undelivered: row(3007, "delivery", "medium", "backoff"),
  handler_failed: row(3008, "delivery", "medium", "none"),
  undecodable: row(3009, "delivery", "high", "none"),
  unencodable: row(3010, "delivery", "medium", "none"),
  arena_exhausted: row(4001, "resource", "high", "after_drain"),
  too_many_isolates: row(4002, "resource", "high", "none"),
  slab_released: row(4003, "resource", "medium", "none"),
  node_left: row(5001, "lifecycle", "medium", "none"),
  unknown_node: row(5002, "lifecycle", "medium", "none"),
  not_attached: row(5003, "lifecycle", "medium", "none"),
  no_arena: row(5004, "lifecycle", "high", "none"),
  arena_lent: row(5005, "lifecycle", "medium", "none"),
  kernel_unavailable: row(6001, "boundary", "critical", "none"),
  kernel_stopped: row(6002, "boundary", "critical", "none"),
  native_missing: row(6003, "boundary", "critical", "none"),
  shim_missing: row(6006, "boundary", "medium", "none"),
  io_unavailable: row(6009, "boundary", "medium", "none"),
  node_api_failed: row(6004, "boundary", "critical", "none"),
  internal: row(6005, "boundary", "critical", "none"),
  kernel_panicked: row(6007, "boundary", "critical", "none"),
  unknown_isolate: row(5006, "lifecycle", "medium", "none"),
  not_stalled: row(5007, "lifecycle", "low", "none"),
  process_forked: row(6008, "boundary", "high", "none"),
  invalid_pid: row(7001, "process", "medium", "none"),
  not_a_process: row(7002, "process", "medium", "none"),
  process_exited: row(7003, "process", "medium", "backoff"),
  mailbox_full: row(7004, "process", "medium", "after_drain"),
  receive_under_way: row(7005, "process", "medium", "none"),
  init_failed: row(7006, "process", "high", "none"),
  unknown_factory: row(7007, "process", "high", "none"),
  child_exists: row(7008, "process", "medium", "none"),
  unknown_child: row(7009, "process", "medium", "none"),
  child_restarting: row(7013, "process", "medium", "backoff"),
  too_many_children: row(7010, "process", "medium", "backoff"),
  task_failed: row(7011, "process", "medium", "none"),
  task_lost: row(7012, "process", "high", "none"),
  interner_full: row(4020, "resource", "medium", "none"),
  series_full: row(4021, "resource", "medium", "none"),
  binary_released: row(4022, "resource", "medium", "none"),
  binaries_full: row(4023, "resource", "medium", "backoff"),
  binary_evicted: row(4024, "resource", "medium", "none"),
  binary_crowded: row(4025, "resource", "medium", "backoff"),
  loop_watch_missing: row(7050, "process", "medium", "none"),
  unknown_ecosystem: row(7040, "process", "medium", "none"),
  ecosystem_closing: row(7041, "process", "medium", "none"),
  work_given_up: row(7042, "process", "high", "none"),
  no_place: row(7043, "process", "high", "none"),
  placement_failed: row(7044, "process", "high", "none"),
  choice_failed: row(7045, "process", "medium", "none"),
});

/** A stable, documented error code. */
export type ErrorCode = keyof typeof RUNTIME_ERROR_CODES | ServiceErrorCode;

/** Every code that an error of this package can carry, with what its errors are by default. */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorClass>> = Object.freeze({
  ...(Object.fromEntries(
    Object.entries(SERVICE_ERROR_CODES).map(([code, [first]]) => [code, first]),
  ) as Record<ServiceErrorCode, ErrorClass>),
  ...RUNTIME_ERROR_CODES,
});

/** Whether a string is one of the documented codes. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code);
}

const BY_NUMBER: ReadonlyMap<number, readonly [ErrorCode, ErrorClass]> = new Map(
  [
    ...Object.entries(RUNTIME_ERROR_CODES).map(([code, known]) => [code, known] as const),
    ...Object.entries(SERVICE_ERROR_CODES).flatMap(([code, all]) =>
      all.map((known) => [code, known] as const),
    ),
  ].map(([code, known]) => [known.numericCode, [code as ErrorCode, known] as const]),
);

/** The code and the class of errors of a number; undefined where no error has it. */
export function errorClassOf(numericCode: number): readonly [ErrorCode, ErrorClass] | undefined {
  return BY_NUMBER.get(numericCode);
}
