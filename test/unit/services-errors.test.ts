import { describe, expect, test } from "vitest";
import { ERROR_CODES, type ErrorCode } from "../../ts/base/error-codes.ts";
import { FoundationError } from "../../ts/base/errors.ts";
import { Errors } from "../../ts/services/errors/errors.ts";

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

describe("making an error", () => {
  test("of an unknown code gives the default 'Unknown error' [F540]", () => {
    const error = Errors.new("no_such_code", undefined, { context: { a: 1 } });
    expect(error).toMatchObject({
      code: "unknown_error",
      numericCode: 9999,
      severity: "medium",
      category: "unknown",
      message: "Unknown error",
      context: { a: 1, unknownCode: "no_such_code" },
    });
  });

  test("takes the correlation id that is given, and no other [F541 F542]", () => {
    expect(Errors.new("timeout", "t", { correlationId: "c-1" }).correlationId).toBe("c-1");
    expect(Errors.new("timeout", "t").correlationId).toBeUndefined();
  });

  test("says by its kind which service it is of", () => {
    const error = new FoundationError("validation_failed", "t", { numericCode: 2001 });
    expect(error).toMatchObject({
      category: "data",
      subcategory: "validation",
      severity: "medium",
    });
    expect(new FoundationError("validation_failed", "t").numericCode).toBe(3203);
  });
});

describe("wrapping", () => {
  test("an error of ours keeps code and context and adds who passed it on [F543]", () => {
    const inner = Errors.new("range_error", "too high", { context: { value: 7, limit: 5 } });
    const outer = Errors.wrap(inner, "internal_error", "no update", { context: { path: "a" } });
    expect(outer).toMatchObject({ code: "range_error", message: "too high" });
    expect(outer.context).toEqual({
      value: 7,
      limit: 5,
      wrappedBy: "internal_error",
      wrapperMessage: "no update",
      wrapperContext: { path: "a" },
    });
    expect(outer.stack).toBe(inner.stack);
  });

  test("anything else becomes the cause of a new error [F544]", () => {
    const outer = Errors.wrap("enoent", "external_service_error", "disk", { correlationId: "c" });
    expect(outer).toMatchObject({
      code: "external_service_error",
      message: "disk",
      correlationId: "c",
      cause: "enoent",
      context: { originalReason: "'enoent'" },
    });
  });
});

describe("the delay before a repetition", () => {
  test("grows from one second to thirty where it backs off [F545 F546]", () => {
    const error = Errors.new("network_error");
    const delays = [0, 1, 2, 3, 4, 5, 40].map((attempt) => Errors.retryDelay(error, attempt));
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test("is always the same where it is fixed [F547]", () => {
    const error = Errors.new("external_service_error");
    expect([0, 1, 9].map((n) => Errors.retryDelay(error, n))).toEqual([1_000, 1_000, 1_000]);
  });

  test("never ends where it must not be repeated, and is none where it may at once [F548]", () => {
    const never = Errors.new("data_corruption");
    expect(Errors.retryDelay(never, 3)).toBe(Number.POSITIVE_INFINITY);
    expect(Errors.retryDelay(Errors.new("service_unavailable"), 3)).toBe(0);
  });
});

describe("the retry strategy", () => {
  test.each([
    ["timeout", 4301, "backoff"],
    ["network_error", 4101, "backoff"],
    ["external_service_error", 4201, "fixed_delay"],
    ["initialization_failed", 2101, "none"],
    ["internal_error", 2401, "none"],
    ["data_corruption", 3301, "none"],
    ["invalid_config_structure", 1101, "immediate"],
    ["missing_required_field", 1102, "immediate"],
    ["invalid_config_value", 1201, "none"],
    ["constraint_violation", 1202, "fixed_delay"],
    ["range_error", 1203, "fixed_delay"],
    ["config_not_found", 1301, "immediate"],
    ["config_update_forbidden", 1401, "fixed_delay"],
    ["service_unavailable", 2102, "immediate"],
    ["resource_exhausted", 2201, "immediate"],
    ["dependency_failed", 2301, "immediate"],
    ["serialization_failed", 3101, "fixed_delay"],
    ["deserialization_failed", 3102, "fixed_delay"],
    ["type_mismatch", 3201, "fixed_delay"],
    ["format_error", 3202, "fixed_delay"],
    ["validation_failed", 3203, "fixed_delay"],
    ["invalid_input", 3204, "fixed_delay"],
    ["data_not_found", 3401, "fixed_delay"],
    ["authentication_failed", 4401, "immediate"],
  ] as const)("of %s is the tabulated one [F549]", (code, numericCode, strategy) => {
    const error = new FoundationError(code, "t", { numericCode });
    expect(error.retryStrategy).toBe(strategy);
  });

  test("of critical services' errors is never to repeat [F550]", () => {
    const critical = Object.values(ERROR_CODES).filter(({ severity }) => severity === "critical");
    expect(critical.length).toBeGreaterThan(3);
    expect(critical.filter(({ retryStrategy }) => retryStrategy !== "none")).toEqual([]);
  });

  test("decides whether an error may be repeated [F559 F560]", () => {
    const isRetryable = CODES.map((code) => Errors.isRetryable(Errors.new(code)));
    expect(isRetryable).toEqual(CODES.map((code) => ERROR_CODES[code].retryStrategy !== "none"));
    expect(new Set(isRetryable).size).toBe(2);
  });

  test("leaves telling somebody to the severity", () => {
    const escalated = (code: ErrorCode): boolean => Errors.shouldEscalate(Errors.new(code));
    expect(escalated("internal_error")).toBe(true);
    expect(escalated("config_not_found")).toBe(true);
    expect(escalated("validation_failed")).toBe(false);
    expect(escalated("not_found")).toBe(false);
  });
});

describe("recovery actions", () => {
  test("differ from code to code [F551]", () => {
    const codes = ["network_error", "timeout", "security_violation", "data_corruption"] as const;
    const texts = codes.map((code) => Errors.recoveryActions(Errors.new(code)).join());
    expect(new Set(texts).size).toBe(codes.length);
  });

  test("name the operation of the context [F552]", () => {
    const error = Errors.new("timeout", "t", { context: { operation: "loadUser" } });
    expect(Errors.recoveryActions(error).at(-1)).toBe("Review loadUser implementation");
  });

  test("exist for what nobody knows [F553]", () => {
    expect(Errors.recoveryActions(Errors.new("no_such_code"))).toHaveLength(2);
  });
});

describe("a stack trace", () => {
  test.each([undefined, null, "", [], 42])("of %s has no frames [F554 F555]", (stack) => {
    expect(Errors.formatStacktrace(stack)).toEqual([]);
  });

  test("has one text a frame, without the message [F556]", () => {
    const stack = "Error: no\n    at load (file.js:1:2)\n    at async run (file.js:3:4)";
    expect(Errors.formatStacktrace(stack)).toEqual([
      "load (file.js:1:2)",
      "async run (file.js:3:4)",
    ]);
  });

  test("leaves out lines that are no frames [F557]", () => {
    expect(Errors.formatStacktrace("no\nframe here\n at x")).toEqual(["x"]);
  });

  test("is at most ten frames long [F558]", () => {
    const stack = Array.from({ length: 40 }, (_, index) => `    at f${index} (a.js)`).join("\n");
    expect(Errors.formatStacktrace(stack)).toHaveLength(10);
  });
});

test("an error in one line has number, code, context and severity", () => {
  const error = new FoundationError("range_error", "too high", {
    numericCode: 1004,
    context: { value: 2 },
  });
  expect(Errors.describe(error)).toBe(
    "[1004:range_error] too high | Context: { value: 2 } | Severity: high",
  );
  expect(Errors.describe(Errors.new("not_found", "no 7"))).toBe(
    "[3001:not_found] no 7 | Severity: low",
  );
});

test("an error is counted by category and subcategory", () => {
  const reports: unknown[] = [];
  const telemetry = { execute: (...report: unknown[]) => reports.push(report) };
  Errors.collectErrorMetrics(Errors.new("range_error", "t", { correlationId: "c" }), telemetry);
  expect(reports).toEqual([
    [
      ["foundation", "errors", "config", "validation"],
      { counter: 1 },
      { code: "range_error", severity: "low", correlationId: "c" },
    ],
  ]);
});

test("several errors make one of the worst code, with their counts", () => {
  const errors = [Errors.new("not_found"), Errors.new("internal_error"), Errors.new("not_found")];
  const all = Errors.aggregate(errors, "three failed");
  expect(all).toMatchObject({ code: "internal_error", message: "three failed" });
  expect(all.cause).toBeInstanceOf(AggregateError);
  expect(all.context).toMatchObject({ total: 3, byCode: { not_found: 2, internal_error: 1 } });
  expect(() => Errors.aggregate([], "none")).toThrow(TypeError);
});

test("the hierarchy holds every code once", () => {
  const branches = Object.values(Errors.hierarchy()).flatMap((parts) => Object.values(parts));
  expect(branches.flat().sort()).toEqual([...CODES].sort());
  expect(Errors.hierarchy()["config"]?.["access"]).toContain("config_not_found");
});
