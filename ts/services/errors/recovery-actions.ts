import type { ErrorCode } from "../../base/error-codes.ts";
import type { FoundationError } from "../../base/errors.ts";

const BY_CODE: Partial<Record<ErrorCode, readonly string[]>> = {
  invalid_config_structure: ["Compare the configuration with its schema", "Start from defaults"],
  missing_required_field: ["Add the field that the message names", "Start from defaults"],
  invalid_config_value: ["Use one of the allowed values", "Reset the configuration"],
  constraint_violation: ["Bring the value within its rule", "Reset the configuration"],
  range_error: ["Bring the number within its range", "Reset the configuration"],
  security_violation: ["Find out who sent this input", "Pass plain data by plain names"],
  config_path_not_found: ["Look the path up in the schema", "Read the whole configuration"],
  config_update_forbidden: ["Change it before the start", "Use one of the allowed paths"],
  service_unavailable: ["Repeat shortly: it is being restarted", "Read from the cache meanwhile"],
  initialization_failed: ["Look at the cause", "Check what the service depends on"],
  resource_exhausted: ["Release what is not needed", "Raise the limit", "Shed load"],
  dependency_failed: ["Check the dependency's health", "Go on without it where possible"],
  internal_error: ["Report it with its cause and stack", "Restart the part that failed"],
  serialization_failed: ["Pass plain data", "Leave out functions and handles"],
  deserialization_failed: ["Check where the bytes come from", "Discard them"],
  type_mismatch: ["Pass the type that the message names", "Convert before the call"],
  data_too_large: ["Store a reference instead of the data", "Split it"],
  data_corruption: ["Stop writing to it", "Restore from a copy"],
  network_error: ["Check the connection", "Repeat with growing waits"],
  external_service_error: ["Check that service's state", "Repeat after a while", "Use another one"],
  timeout: ["Raise the time limit", "Look at what is slow", "Repeat with growing waits"],
  authentication_failed: ["Check the credentials", "Get new ones"],
  circuit_breaker_blown: ["Wait for the reset time", "Answer from a fallback"],
  rate_limit_exceeded: ["Wait until the window is over", "Ask for a higher limit"],
  mailbox_full: ["Send slower or use `call`", "Add workers"],
  noconnection: ["Wait until the node is up", "Use another node"],
};

/**
 * What can be done about an error, the best first. Where its context names an `operation`, that is
 * one more thing to look at.
 */
export function recoveryActions({ code, context }: FoundationError): readonly string[] {
  const actions = BY_CODE[code] ?? ["Look at the message and the cause", "See docs/errors.md"];
  const { operation } = context;
  if (typeof operation !== "string" || operation === "") return actions;
  return [...actions, `Review ${operation} implementation`];
}
