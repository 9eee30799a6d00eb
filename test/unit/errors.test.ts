import { describe, expect, test } from "vitest";
import {
  ERROR_CODES,
  type ErrorCode,
  errorClassOf,
  isErrorCode,
  RUNTIME_ERROR_CODES,
} from "../../ts/base/error-codes.ts";
import { attempt, FoundationError, fromNative, native } from "../../ts/base/errors.ts";
import { SERVICE_ERROR_CODES } from "../../ts/base/service-error-codes.ts";

const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe("the error codes", () => {
  const services = Object.entries(SERVICE_ERROR_CODES).flatMap(([code, kinds]) =>
    kinds.map((kind) => [kind.numericCode, code, kind] as const),
  );

  test("share no number, by which logs know them", () => {
    const runtime = Object.values(RUNTIME_ERROR_CODES).map(({ numericCode }) => numericCode);
    const numbers = [...runtime, ...services.map(([numericCode]) => numericCode)];
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test("of the runtime are numbered by category, above those of Foundation 1.x", () => {
    const byThousand = new Map<number, Set<string>>();
    for (const { numericCode, category } of Object.values(RUNTIME_ERROR_CODES)) {
      expect(numericCode).toBeGreaterThan(20_000);
      const thousand = Math.floor(numericCode / 1000);
      byThousand.set(thousand, (byThousand.get(thousand) ?? new Set()).add(category));
    }
    expect([...byThousand.values()].map((categories) => categories.size)).toEqual(
      Array.from(byThousand, () => 1),
    );
  });

  test.each(services)("find the kind of the number %i", (numericCode, code, kind) => {
    expect(errorClassOf(numericCode)).toEqual([code, kind]);
    const error = new FoundationError(code as ErrorCode, "text", { numericCode });
    expect(error).toMatchObject({ code, ...kind });
  });

  test("and numbers have to belong together", () => {
    const mixed = (): unknown => new FoundationError("timeout", "text", { numericCode: 1000 });
    expect(mixed).toThrow(TypeError);
    expect(errorClassOf(12)).toBeUndefined();
  });

  test("cannot be changed by whoever reads them", () => {
    expect(Object.isFrozen(ERROR_CODES)).toBe(true);
    expect(Object.values(ERROR_CODES).every((row) => Object.isFrozen(row))).toBe(true);
  });

  test.each(["toString", "constructor", "__proto__", "", undefined, 3001, null])(
    "do not include %s",
    (code) => {
      expect(isErrorCode(code)).toBe(false);
    },
  );
});

describe("an error", () => {
  test.each(Object.keys(ERROR_CODES) as ErrorCode[])(
    "of %s carries what is known of it",
    (code) => {
      const error = new FoundationError(code, "text");
      expect(error).toBeInstanceOf(Error);
      expect(error).toMatchObject({ name: "FoundationError", message: "text", code, context: {} });
      expect(error).toMatchObject(ERROR_CODES[code]);
      expect("cause" in error).toBe(false);
    },
  );

  test("keeps cause, context and correlation id", () => {
    const cause = new Error("cause");
    const error = new FoundationError("timeout", "text", {
      cause,
      context: { node: "n" },
      correlationId: "c-1",
    });
    expect(error.cause).toBe(cause);
    expect(error).toMatchObject({ context: { node: "n" }, correlationId: "c-1" });
  });
});

describe("what the native core throws", () => {
  test("becomes a FoundationError of the same code, with the original as its cause", () => {
    const thrown = coded("name_taken", "'a' has a handler");
    const error = fromNative(thrown) as FoundationError;
    expect(error).toBeInstanceOf(FoundationError);
    expect(error).toMatchObject({
      code: "name_taken",
      message: "'a' has a handler",
      cause: thrown,
    });
  });

  test.each([coded("ENOENT", "x"), new Error("x"), "text", undefined, { code: "timeout" }])(
    "passes as it is where it is none of ours: %s",
    (thrown) => {
      expect(fromNative(thrown)).toBe(thrown);
    },
  );

  test("that is a FoundationError already is not wrapped twice", () => {
    const error = new FoundationError("internal", "x");
    expect(fromNative(error)).toBe(error);
  });

  test("is converted around a call, whose value comes through", () => {
    expect(native(() => 42)).toBe(42);
    const failing = (): never => {
      throw coded("unknown_node", "no node 7");
    };
    expect(() => native(failing)).toThrow(expect.objectContaining({ code: "unknown_node" }));
  });
});

describe("attempt", () => {
  test("answers with the value or the error of a call", () => {
    expect(attempt(() => 1)).toEqual({ ok: true, value: 1 });
    const error = new Error("x");
    const failing = (): never => {
      throw error;
    };
    expect(attempt(failing)).toEqual({ ok: false, error });
  });

  test("answers later for a call that does", async () => {
    expect(await attempt(async () => 1)).toEqual({ ok: true, value: 1 });
    const error = new Error("x");
    expect(await attempt(async () => Promise.reject(error))).toEqual({ ok: false, error });
  });
});
