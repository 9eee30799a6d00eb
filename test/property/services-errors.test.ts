import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CODES, type ErrorCode, errorClassOf } from "../../ts/base/error-codes.ts";
import { FoundationError } from "../../ts/base/errors.ts";
import { Errors } from "../../ts/services/errors/errors.ts";

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];
const code = fc.constantFrom(...CODES);
const word = fc.string({ maxLength: 12 });
const facts = fc.dictionary(
  word.filter((key) => key !== "__proto__"),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 6 },
);

test("every code and every text give an error with number and category [F086 F087]", () => {
  fc.assert(
    fc.property(fc.oneof(code, word), fc.string(), (any, message) => {
      const error = Errors.new(any, message);
      expect(error).toBeInstanceOf(FoundationError);
      expect(error.message).toBe(message);
      expect(errorClassOf(error.numericCode)?.[0]).toBe(error.code);
      expect(error.category).toBe(ERROR_CODES[error.code].category);
    }),
  );
});

test("all context that is given is kept [F088]", () => {
  fc.assert(
    fc.property(code, facts, (any, context) => {
      expect(Errors.new(any, "t", { context }).context).toEqual(context);
    }),
  );
});

test("a chain of wrappers keeps the first code and its context [F089]", () => {
  fc.assert(
    fc.property(code, facts, fc.array(code, { minLength: 1, maxLength: 6 }), (first, own, all) => {
      const context = { ...own, inner: "kept" };
      const root = Errors.new(first, "root", { context, cause: "why" });
      const outer = all.reduce<FoundationError>(
        (error, wrapper, depth) => Errors.wrap(error, wrapper, `level ${depth}`),
        root,
      );
      expect(outer.code).toBe(first);
      expect(outer.cause).toBe("why");
      expect(outer.context).toMatchObject({ inner: "kept", wrappedBy: all.at(-1) });
    }),
  );
});

test("a delay is never negative, and backing off never exceeds its cap [F090 F091]", () => {
  fc.assert(
    fc.property(code, fc.integer(), (any, attempt) => {
      const error = Errors.new(any);
      const delay = Errors.retryDelay(error, attempt);
      expect(delay).toBeGreaterThanOrEqual(0);
      if (error.retryStrategy === "backoff") expect(delay).toBeLessThanOrEqual(30_000);
    }),
  );
});

test("any stack is formatted, in at most ten frames [F092]", () => {
  const lines = fc.array(
    fc.oneof(
      word,
      word.map((frame) => `    at ${frame}`),
    ),
  );
  const stack = fc.oneof(
    lines.map((all) => all.join("\n")),
    fc.anything(),
  );
  fc.assert(
    fc.property(stack, (any) => {
      const frames = Errors.formatStacktrace(any);
      expect(frames.length).toBeLessThanOrEqual(10);
      expect(frames.every((frame) => typeof frame === "string")).toBe(true);
    }),
  );
});

test("any error says whether to repeat it and what can be done [F093 F094]", () => {
  fc.assert(
    fc.property(code, facts, (any, context) => {
      const error = Errors.new(any, "t", { context });
      expect(Errors.isRetryable(error)).toBe(Errors.retryDelay(error) < Number.POSITIVE_INFINITY);
      const actions = Errors.recoveryActions(error);
      expect(actions.length).toBeGreaterThanOrEqual(2);
      expect(actions.every((action) => typeof action === "string" && action !== "")).toBe(true);
    }),
  );
});

test("a record through JSON gives the same error again [F095]", () => {
  const numbers = CODES.flatMap((any) => [ERROR_CODES[any].numericCode]).concat([1001, 2001, 6008]);
  const kind = fc.constantFrom(...numbers);
  fc.assert(
    fc.property(kind, fc.string(), facts, fc.option(word), (numericCode, text, context, id) => {
      const [any] = errorClassOf(numericCode) as [ErrorCode, unknown];
      const correlationId = id ?? undefined;
      const error = new FoundationError(any, text, { numericCode, context, correlationId });
      const record: unknown = JSON.parse(JSON.stringify(Errors.toRecord(error)));
      const again = Errors.fromRecord(record);
      expect(JSON.stringify(Errors.toRecord(again))).toBe(JSON.stringify(Errors.toRecord(error)));
    }),
  );
});

test("what is no record gives an error all the same", () => {
  fc.assert(
    fc.property(fc.anything(), (any) => {
      expect(Errors.fromRecord(any)).toBeInstanceOf(FoundationError);
    }),
  );
});
