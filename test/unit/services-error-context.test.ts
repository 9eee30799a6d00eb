import { describe, expect, test } from "vitest";
import { attempt, FoundationError } from "../../ts/base/errors.ts";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { ErrorContexts } from "../../ts/services/errors/error-contexts.ts";
import { BREADCRUMBS_MAX } from "../../ts/services/errors/operation-context.ts";

function scene() {
  const clock = new ManualClock();
  const reports: [string, object, object][] = [];
  const telemetry = {
    execute: (name: readonly string[], measurements: object, metadata: object): void => {
      reports.push([name.join("."), measurements, metadata]);
    },
  };
  return { clock, reports, contexts: new ErrorContexts(telemetry, clock) };
}

const errorOf = (run: () => unknown): FoundationError => {
  const result = attempt(run);
  expect(result.ok).toBe(false);
  return (result as { error: FoundationError }).error;
};

describe("a new context", () => {
  test("knows module, function, time and a first breadcrumb [F174 F175 F178]", () => {
    const { clock, contexts } = scene();
    clock.advance(40);
    const context = contexts.new("Users", "load", { metadata: { id: 7 } });
    expect(context).toMatchObject({
      module: "Users",
      function: "load",
      metadata: { id: 7 },
      startTime: 40,
      parentContext: undefined,
      breadcrumbs: [{ module: "Users", function: "load", timestamp: 40, metadata: { id: 7 } }],
    });
  });

  test("has ids of its own, or the correlation id that is given [F176 F177]", () => {
    const { contexts } = scene();
    const [a, b] = [contexts.new("M", "f"), contexts.new("M", "f")];
    expect(a.operationId).not.toBe(b.operationId);
    expect(a.correlationId).not.toBe(b.correlationId);
    expect(a.correlationId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
    expect(contexts.new("M", "f", { correlationId: "mine" }).correlationId).toBe("mine");
  });
});

describe("a child context", () => {
  test("has parent, correlation id, metadata and trail of the outer one [F179 F180 F181]", () => {
    const { clock, contexts } = scene();
    const parent = contexts.new("Outer", "run", { metadata: { a: 1, b: 1 } });
    clock.advance(5);
    const child = contexts.childContext(parent, "Inner", "step", { b: 2 });
    expect(child.parentContext).toBe(parent);
    expect(child.correlationId).toBe(parent.correlationId);
    expect(child.operationId).not.toBe(parent.operationId);
    expect(child.metadata).toEqual({ a: 1, b: 2 });
    expect(child.breadcrumbs.map(({ module }) => module)).toEqual(["Outer", "Inner"]);
  });
});

describe("breadcrumbs", () => {
  test("are added behind those there are, with metadata or none [F182 F183 F184]", () => {
    const { clock, contexts } = scene();
    const first = contexts.new("M", "a");
    clock.advance(2);
    const second = contexts.addBreadcrumb(first, "M", "b", { step: 2 });
    const third = contexts.addBreadcrumb(second, "M", "c");
    expect(third.breadcrumbs.map((crumb) => [crumb.function, crumb.metadata])).toEqual([
      ["a", {}],
      ["b", { step: 2 }],
      ["c", {}],
    ]);
    expect(first.breadcrumbs).toHaveLength(1);
  });

  test("are kept up to a limit, the newest, and the others counted", () => {
    const { contexts } = scene();
    let context = contexts.new("M", "start");
    for (let n = 1; n <= BREADCRUMBS_MAX + 10; n++) {
      context = contexts.addBreadcrumb(context, "M", `f${n}`);
    }
    expect(context.breadcrumbs).toHaveLength(BREADCRUMBS_MAX);
    expect(context.breadcrumbs.at(-1)?.function).toBe(`f${BREADCRUMBS_MAX + 10}`);
    expect(context.breadcrumbsDropped).toBe(11);
  });

  test("read as a line with times [F188 F190]", () => {
    const { clock, contexts } = scene();
    const context = contexts.new("Mod", "fun");
    clock.advance(1.2);
    const next = contexts.addBreadcrumb(context, "Other", "go");
    clock.advance(0.3);
    expect(contexts.formatBreadcrumbs(next)).toBe("Mod.fun (1.5ms ago) -> Other.go (0.3ms ago)");
  });

  test("that there are none of read as nothing [F189]", () => {
    const { contexts } = scene();
    const context = { ...contexts.new("M", "f"), breadcrumbs: [] };
    expect(contexts.formatBreadcrumbs(context)).toBe("");
  });
});

describe("an error", () => {
  test("learns its operation and keeps its own context [F185 F186 F187]", () => {
    const { clock, contexts } = scene();
    const context = contexts.new("M", "f", { metadata: { user: 7 } });
    clock.advance(3);
    const error = new FoundationError("range_error", "no", { context: { value: 9 } });
    const enhanced = contexts.enhanceError(error, context);
    expect(enhanced).toMatchObject({ code: "range_error", message: "no" });
    expect(enhanced.correlationId).toBe(context.correlationId);
    expect(enhanced.context).toMatchObject({
      value: 9,
      operationContext: {
        operationId: context.operationId,
        metadata: { user: 7 },
        breadcrumbs: context.breadcrumbs,
        durationNs: 3_000_000,
      },
    });
  });

  test("in a result learns it as well, and a value stays as it is", () => {
    const { contexts } = scene();
    const context = contexts.new("M", "f");
    const value = { ok: true, value: 1 } as const;
    expect(contexts.addContext(value, context)).toBe(value);
    const failed = contexts.addContext({ ok: false, error: new Error("x") }, context);
    expect(failed).toMatchObject({ ok: false, error: { code: "internal_error" } });
  });
});

describe("withContext", () => {
  test("answers with what the function does, synchronous or not [F191]", async () => {
    const { clock, contexts, reports } = scene();
    const context = contexts.new("M", "f");
    expect(contexts.withContext(context, () => 7)).toBe(7);
    const later = contexts.withContext(context, async () => {
      await Promise.resolve();
      clock.advance(4);
      return 8;
    });
    expect(await later).toBe(8);
    expect(reports.map(([name, measurements]) => [name, measurements])).toEqual([
      ["foundation.operations.duration", { gauge: 0 }],
      ["foundation.operations.duration", { gauge: 4 }],
    ]);
  });

  test("turns what is thrown into an error of it, and counts it [F192 F194]", async () => {
    const { contexts, reports } = scene();
    const context = contexts.new("M", "f");
    const cause = new RangeError("too far");
    const error = errorOf(() =>
      contexts.withContext(context, () => {
        throw cause;
      }),
    );
    expect(error).toMatchObject({ code: "internal_error", numericCode: 2401, cause });
    expect(error.message).toBe("M.f failed: too far");
    expect(error.context).toMatchObject({
      exceptionType: "RangeError",
      exceptionMessage: "too far",
      operationContext: { operationId: context.operationId },
    });
    const frames = error.context["stacktrace"] as string[];
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.length).toBeLessThanOrEqual(10);
    expect(reports.at(-1)?.[0]).toBe("foundation.errors.system.internal");
    const rejected = contexts.withContext(context, async () => Promise.reject(cause));
    await expect(rejected).rejects.toMatchObject({ code: "internal_error", cause });
  });

  test.each([new TypeError("a"), new SyntaxError("b"), "text", 42, undefined, { odd: true }])(
    "takes %s for a failure [F193]",
    (thrown) => {
      const { contexts } = scene();
      const failing = (): never => {
        throw thrown;
      };
      const error = errorOf(() => contexts.withContext(contexts.new("M", "f"), failing));
      expect(error.code).toBe("internal_error");
      expect(error.cause).toBe(thrown);
    },
  );

  test("keeps the code of an error of ours, and the innermost operation", () => {
    const { contexts } = scene();
    const outer = contexts.new("Outer", "run");
    const inner = contexts.childContext(outer, "Inner", "step");
    const error = errorOf(() =>
      contexts.withContext(outer, () =>
        contexts.withContext(inner, () => {
          throw new FoundationError("not_found", "no 7");
        }),
      ),
    );
    expect(error).toMatchObject({ code: "not_found", message: "no 7" });
    expect(error.context["operationContext"]).toMatchObject({ module: "Inner" });
  });
});

describe("the current context", () => {
  test("is none outside, and the one that runs inside [F195 F196 F198]", () => {
    const { contexts } = scene();
    expect(contexts.getCurrentContext()).toBeUndefined();
    const context = contexts.new("M", "f");
    expect(contexts.withContext(context, () => contexts.getCurrentContext())).toBe(context);
    expect(contexts.getCurrentContext()).toBeUndefined();
    errorOf(() =>
      contexts.withContext(context, () => {
        throw new Error("x");
      }),
    );
    expect(contexts.getCurrentContext()).toBeUndefined();
  });

  test("is each operation's own, however they take turns [F197]", async () => {
    const { contexts } = scene();
    const run = async (name: string): Promise<boolean> => {
      const context = contexts.new(name, "f");
      return contexts.withContext(context, async () => {
        for (let turn = 0; turn < 5; turn++) {
          await new Promise((resolve) => setImmediate(resolve));
          if (contexts.getCurrentContext() !== context) return false;
        }
        return true;
      });
    };
    expect(await Promise.all(["a", "b", "c", "d"].map(run))).toEqual([true, true, true, true]);
  });

  test("is the outer one again behind an inner one, also across await and timers", async () => {
    const { contexts } = scene();
    const outer = contexts.new("Outer", "run");
    const seen: unknown[] = [];
    await contexts.withContext(outer, async () => {
      await contexts.withContext(contexts.childContext(outer, "Inner", "step"), async () => {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(contexts.getCurrentContext()?.module);
      });
      seen.push(contexts.getCurrentContext()?.module);
    });
    expect(seen).toEqual(["Inner", "Outer"]);
  });
});

describe("metadata", () => {
  test("is added, overwritten by key, and none changes nothing [F199 F200 F201]", () => {
    const { contexts } = scene();
    const context = contexts.new("M", "f", { metadata: { a: 1 } });
    expect(contexts.addMetadata(context, { b: 2 }).metadata).toEqual({ a: 1, b: 2 });
    expect(contexts.addMetadata(context, { a: 3 }).metadata).toEqual({ a: 3 });
    expect(contexts.addMetadata(context, {})).toEqual(context);
    expect(context.metadata).toEqual({ a: 1 });
  });
});

test("a duration is in the unit that its name says, and grows [F202 F203]", () => {
  const { clock, contexts } = scene();
  const context = contexts.new("M", "f");
  clock.advance(1.5);
  expect(contexts.getOperationDurationMs(context)).toBe(1.5);
  expect(contexts.getOperationDurationNs(context)).toBe(1_500_000);
  clock.advance(1);
  expect(contexts.getOperationDurationNs(context)).toBe(2_500_000);
});
