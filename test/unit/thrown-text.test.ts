import { describe, expect, test } from "vitest";
import { SYSTEM_CLOCK } from "../../dist/ts/base/clock.js";
import { thrownText } from "../../dist/ts/base/thrown-text.js";
import { FoundationError } from "../../dist/ts/index.js";
import { errorToRecord } from "../../dist/ts/services/errors/json.js";
import { CircuitBreakers } from "../../dist/ts/services/infrastructure/breaker/circuit-breakers.js";
import { NO_TELEMETRY } from "../../dist/ts/services/sinks.js";
import { Scene } from "./beam-scene.ts";

const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();

const WITHOUT_TEXT: [string, unknown][] = [
  ["an object without a prototype", Object.create(null)],
  ["a toString that answers no text", { toString: () => Object.create(null) }],
];

describe("what was thrown, in words", () => {
  test("is the message of an error, and the text of anything else", () => {
    expect(thrownText(new TypeError("broken"))).toBe("broken");
    expect(thrownText("broken")).toBe("broken");
    expect(thrownText(undefined)).toBe("undefined");
    expect(thrownText(Symbol("s"))).toBe("Symbol(s)");
  });

  test.each([...WITHOUT_TEXT, ["a revoked proxy", revoked]])(
    "has words for %s",
    (_what, thrown) => {
      expect(thrownText(thrown)).toBe("something that has no text");
    },
  );

  test.each(WITHOUT_TEXT)("a breaker counts %s as a failure", (_what, thrown) => {
    const breakers = new CircuitBreakers(SYSTEM_CLOCK, NO_TELEMETRY);
    breakers.startFuseInstance("db", { tolerance: 0 });
    const fail = (): never => {
      throw thrown;
    };
    expect(() => breakers.execute("db", fail)).toThrow(
      expect.objectContaining({ code: "protected_operation_failed" }),
    );
    expect(breakers.getStatus("db")).toBe("open");
  });

  test.each(WITHOUT_TEXT)("the record of an error is made whose cause is %s", (_what, cause) => {
    const error = new FoundationError("timeout", "late", { cause });
    expect(errorToRecord(error).cause).toBe("something that has no text");
  });

  test.each(WITHOUT_TEXT)("a process that throws %s crashes alone", async (_what, thrown) => {
    const { processes, crashes } = new Scene();
    const pid = processes.spawn(() => {
      throw thrown;
    });
    const call = processes.call(pid, 1);
    await expect(call).rejects.toMatchObject({ code: "process_exited" });
    expect(crashes).toHaveLength(1);
    const other = processes.spawn(() => "well");
    expect(await processes.call(other, 1)).toBe("well");
  });
});
