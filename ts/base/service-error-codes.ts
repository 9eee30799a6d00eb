import type { ErrorCategory, ErrorClass, RetryStrategy, Severity } from "./error-class.ts";

/** What a caller may do, by the rules of Foundation 1.x; the first that fits. */
function retryOf(code: string, severity: Severity): RetryStrategy {
  if (code === "timeout" || code === "network_error") return "backoff";
  if (code === "external_service_error") return "fixed_delay";
  if (severity === "critical") return "none";
  if (severity === "high") return "immediate";
  if (code === "invalid_config_value" || code === "data_corruption") return "none";
  return "fixed_delay";
}

type Place = `${ErrorCategory}/${string}`;
type Kind = readonly [numericCode: number, place: Place, severity: Severity];

/**
 * What the errors of one code are. A code that several services raise has a number for each; the
 * first one is that of an error which names no service.
 */
function kinds<Code extends string>(
  all: Readonly<Record<Code, readonly Kind[]>>,
): Readonly<Record<Code, readonly [ErrorClass, ...ErrorClass[]]>> {
  const classes = Object.entries<readonly Kind[]>(all).map(([code, list]) => [
    code,
    Object.freeze(
      list.map(([numericCode, place, severity]) => {
        const [category, subcategory] = place.split("/") as [ErrorCategory, string];
        const retryStrategy = retryOf(code, severity);
        return Object.freeze({ numericCode, severity, category, subcategory, retryStrategy });
      }),
    ),
  ]);
  return Object.freeze(Object.fromEntries(classes)) as never;
}

/**
 * Codes of the services. Numbers below 10,000 are those of Foundation 1.x; where two of its errors
 * shared one, the second got a new one. Those from 28,000 on had no number there, or are new.
 */
export const SERVICE_ERROR_CODES = kinds({
  invalid_config_structure: [[1101, "config/structure", "high"]],
  missing_required_field: [[1102, "config/structure", "high"]],
  invalid_config_value: [
    [1201, "config/validation", "medium"],
    [1002, "config/validation", "medium"],
  ],
  constraint_violation: [
    [1202, "config/validation", "medium"],
    [1003, "config/validation", "high"],
  ],
  range_error: [
    [1203, "config/validation", "low"],
    [1004, "config/validation", "high"],
  ],
  security_violation: [
    [1000, "config/security", "high"],
    [1005, "config/security", "high"],
  ],
  config_not_found: [[1301, "config/access", "high"]],
  config_path_not_found: [[28_001, "config/access", "medium"]],
  config_update_forbidden: [[1401, "config/authorization", "medium"]],
  config_unavailable: [[28_002, "config/access", "high"]],
  invalid_path: [[28_003, "config/access", "medium"]],
  initialization_failed: [[2101, "system/initialization", "critical"]],
  service_unavailable: [
    [2102, "system/initialization", "high"],
    [3000, "system/events", "high"],
    [5000, "config/server", "high"],
    [28_200, "system/telemetry", "high"],
    [28_300, "system/discovery", "high"],
    [28_400, "system/infrastructure", "high"],
    [28_700, "system/capture", "high"],
  ],
  resource_exhausted: [[2201, "system/resources", "high"]],
  dependency_failed: [[2301, "system/dependencies", "high"]],
  internal_error: [[2401, "system/internal", "critical"]],
  serialization_failed: [[3101, "data/serialization", "medium"]],
  deserialization_failed: [[3102, "data/serialization", "medium"]],
  type_mismatch: [
    [3201, "data/validation", "low"],
    [2002, "data/validation", "medium"],
  ],
  format_error: [[3202, "data/validation", "low"]],
  validation_failed: [
    [3203, "data/validation", "medium"],
    [1001, "config/validation", "medium"],
    [2001, "data/validation", "medium"],
    [6008, "external/rate_limiter", "medium"],
  ],
  invalid_input: [
    [3204, "data/validation", "low"],
    [5009, "external/circuit_breaker", "medium"],
    [5011, "external/circuit_breaker", "medium"],
  ],
  data_too_large: [[2003, "data/validation", "high"]],
  invalid_event_type: [[2004, "data/validation", "medium"]],
  invalid_argument: [[2005, "data/validation", "medium"]],
  not_found: [
    [3001, "data/access", "low"],
    [28_417, "config/protection", "low"],
    [28_418, "external/connection_pool", "low"],
  ],
  data_corruption: [[3301, "data/corruption", "critical"]],
  event_log_locked: [[28_150, "data/access", "medium"]],
  event_log_failed: [[28_151, "data/storage", "critical"]],
  event_log_closed: [[28_152, "data/access", "medium"]],
  event_log_overloaded: [[28_153, "data/access", "medium"]],
  event_log_answer_too_large: [[28_154, "data/access", "medium"]],
  data_not_found: [[3401, "data/not_found", "low"]],
  operation_forbidden: [
    [5002, "config/server", "high"],
    [3002, "data/access", "high"],
    [7002, "system/telemetry", "high"],
  ],
  operation_not_supported: [[4001, "data/access", "medium"]],
  network_error: [[4101, "external/network", "medium"]],
  external_service_error: [[4201, "external/service", "medium"]],
  timeout: [[4301, "external/timeout", "medium"]],
  authentication_failed: [[4401, "external/auth", "high"]],
  service_not_found: [[5001, "system/discovery", "medium"]],
  package_missing: [[28_201, "system/dependencies", "critical"]],
  already_registered: [[28_301, "system/discovery", "medium"]],
  registry_full: [[28_302, "system/resources", "high"]],
  process_dead: [[28_303, "system/discovery", "medium"]],
  health_check_failed: [[28_304, "system/health", "medium"]],
  health_check_timeout: [[28_305, "system/health", "medium"]],
  health_check_error: [[28_306, "system/health", "medium"]],
  health_check_crashed: [[28_307, "system/health", "medium"]],
  circuit_breaker_blown: [[5004, "external/circuit_breaker", "medium"]],
  circuit_breaker_not_found: [
    [5005, "external/circuit_breaker", "high"],
    [5007, "external/circuit_breaker", "medium"],
    [5013, "external/circuit_breaker", "medium"],
  ],
  protected_operation_failed: [
    [5003, "external/circuit_breaker", "medium"],
    [5012, "external/circuit_breaker", "medium"],
  ],
  circuit_breaker_install_failed: [[5015, "external/circuit_breaker", "high"]],
  circuit_breaker_exception: [
    [5016, "external/circuit_breaker", "critical"],
    [5006, "external/circuit_breaker", "critical"],
  ],
  rate_limit_exceeded: [[6001, "external/rate_limiter", "medium"]],
  rate_limiter_exception: [
    [6003, "external/rate_limiter", "high"],
    [6007, "external/rate_limiter", "high"],
  ],
  rate_limited_operation_failed: [[6009, "external/rate_limiter", "medium"]],
  max_attempts_exceeded: [[28_500, "external/retry", "medium"]],
  invalid_name: [[28_401, "external/circuit_breaker", "medium"]],
  invalid_configuration: [[28_402, "external/circuit_breaker", "medium"]],
  already_exists: [
    [28_403, "external/circuit_breaker", "medium"],
    [28_427, "external/connection_pool", "medium"],
  ],
  invalid_arguments: [[28_404, "external/circuit_breaker", "medium"]],
  circuit_breaker_init_failed: [[28_405, "external/circuit_breaker", "high"]],
  execution_error: [[28_406, "external/protection", "medium"]],
  exception: [[28_407, "external/protection", "medium"]],
  missing_required_keys: [[28_408, "config/protection", "medium"]],
  invalid_config_format: [[28_409, "config/protection", "medium"]],
  invalid_circuit_breaker_config: [[28_410, "config/protection", "medium"]],
  invalid_rate_limiter_config: [[28_411, "config/protection", "medium"]],
  invalid_connection_pool_config: [[28_412, "config/protection", "medium"]],
  invalid_config: [[28_413, "external/connection_pool", "medium"]],
  invalid_worker_module: [[28_414, "external/connection_pool", "medium"]],
  pool_not_found: [[28_415, "external/connection_pool", "medium"]],
  checkout_timeout: [[28_416, "external/connection_pool", "medium"]],
  too_many_waiting: [[28_419, "external/limits", "medium"]],
  pool_stopped: [[28_420, "external/connection_pool", "medium"]],
  worker_failed: [[28_421, "external/connection_pool", "medium"]],
  response_too_large: [[28_422, "external/http", "medium"]],
  too_many_redirects: [[28_423, "external/http", "medium"]],
  max_elapsed: [[28_424, "external/retry", "medium"]],
  progress_timeout: [[28_425, "external/retry", "medium"]],
  capture_full: [[28_701, "system/capture", "medium"]],
  capture_record_too_large: [[28_702, "data/capture", "medium"]],
  capture_limit: [[28_703, "config/capture", "high"]],
  trace_under_way: [[28_704, "system/capture", "medium"]],
  unknown_error: [[9999, "unknown/unknown", "medium"]],
});

/** A code of the services. */
export type ServiceErrorCode = keyof typeof SERVICE_ERROR_CODES;
