import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  attempt,
  Config,
  ErrorContext,
  Errors,
  Events,
  Foundation,
  FoundationError,
  type FoundationNode,
  Telemetry,
  Utils,
} from "../../dist/ts/index.js";
import { counted } from "./service-outages.ts";

let node: FoundationNode;
beforeEach(async () => {
  node = await Foundation.initialize();
});
afterEach(async () => Foundation.shutdown());

describe("each part does what it is there for", () => {
  test("events are made, stored, found and pruned [F147]", () => {
    const event = Events.newEvent("smoke", { a: [1, "ü", null] });
    const id = Events.store(event);
    expect(Events.get(id)).toEqual(event);
    expect(Events.query({ eventType: "smoke" })).toEqual([event]);
    expect(Events.deserialize(Events.serialize(event))).toEqual(event);
    expect(Events.pruneBefore(event.timestamp + 1)).toBe(1);
    expect(Events.lookup(id)).toBeUndefined();
    expect(Events.status()).toMatchObject({ status: "running" });
  });

  test("functions for everybody are there [F149]", async () => {
    expect(Utils.generateId()).toBeLessThan(Utils.generateId());
    expect(Utils.generateCorrelationId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(Utils.deepMerge({ a: { b: 1 } }, { a: { c: 2 } })).toEqual({ a: { b: 1, c: 2 } });
    expect(Utils.getNested({ a: { b: 1 } }, ["a", "b"])).toBe(1);
    expect(Utils.formatBytes(1_536)).toBe("1.5 KB");
    await expect(Utils.retry(async () => 7)).resolves.toBe(7);
  });

  test("errors say what they are, and what to do [F150]", () => {
    const error = Errors.new("network_error", "too far", { context: { operation: "pay" } });
    expect(error).toBeInstanceOf(FoundationError);
    expect(error).toMatchObject({ code: "network_error", numericCode: 4101, severity: "medium" });
    expect([Errors.isRetryable(error), Errors.retryDelay(error, 0)]).toEqual([true, 1_000]);
    expect(Errors.recoveryActions(error)).toContain("Review pay implementation");
    const context = ErrorContext.new("Shop", "pay");
    const failed = attempt(() =>
      ErrorContext.withContext(context, () => {
        throw error;
      }),
    );
    expect(failed).toMatchObject({ ok: false, error: { code: "network_error" } });
  });
});

describe("the parts together", () => {
  test("a change of the configuration is counted, and so is an event [F154 F155]", () => {
    Config.update(["dev", "debug_mode"], true);
    expect(counted(node, "foundation.config_updates")).toBe(1);
    expect(counted(node, "foundation.event_store.events_stored")).toBe(1);
    Events.store(Events.newEvent("smoke", {}));
    expect(counted(node, "foundation.event_store.events_stored")).toBe(2);
    const { foundation } = Telemetry.getMetrics() as { foundation: { config_updates: number } };
    expect(foundation.config_updates).toBe(1);
  });

  test("a node's configuration is its own [F159]", async () => {
    const other = await Foundation.start();
    try {
      Config.update(["interface", "max_results"], 5);
      expect(other.config.get(["interface", "maxResults"])).toBe(1_000);
      expect(other.events.query()).toEqual([]);
      expect(counted(other, "foundation.config_updates")).toBe(0);
      expect(Config.get(["interface", "maxResults"])).toBe(5);
    } finally {
      await other.leave();
    }
  });
});
