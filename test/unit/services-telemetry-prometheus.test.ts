import { createServer } from "node:http";
import { Counter, Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import type { Telemetry } from "../../ts/services/telemetry/telemetry.ts";
import { parseExposition } from "./exposition-parser.ts";
import { telemetryScene as scene } from "./telemetry-scene.ts";
import { codeOf } from "./thrown-code.ts";

function filled(): Telemetry {
  const { telemetry } = scene();
  telemetry.describe(["http", "request"], { help: "Requests\nand \\more", labels: ["path"] });
  telemetry.describe(["size"], { buckets: [10, 100, 1_000] });
  for (let ms = 1; ms <= 100; ms++) telemetry.emitHistogram(["http", "request"], ms, { path: "/" });
  telemetry.emitHistogram(["http", "request"], 5, { path: 'a"b\\c\nd' });
  for (const size of [5, 50, 500, 5_000]) telemetry.emitHistogram(["size"], size);
  telemetry.emitCounter(["requests"], 3, {});
  telemetry.execute(["lookups"], { count: 2, duration: 250 });
  telemetry.emitGauge(["queue"], -1.5);
  return telemetry;
}

describe("the exposition", () => {
  test("has a family for each measurement, in the text format", async () => {
    const families = parseExposition(await filled().prometheus());
    const kinds = [...families.values()].map(({ name, type }) => `${name} ${type}`);
    expect(kinds).toEqual([
      "foundation_telemetry_missing_isolates gauge",
      "http_request summary",
      "lookups_count_total counter",
      "lookups_duration_seconds summary",
      "queue gauge",
      "requests_total counter",
      "size histogram",
    ]);
    expect(families.get("requests_total")?.samples).toEqual([
      { name: "requests_total", labels: {}, value: 3 },
    ]);
    expect(families.get("queue")?.samples[0]?.value).toBe(-1.5);
    expect(families.get("lookups_duration_seconds")?.samples.at(-2)?.value).toBe(0.25);
    expect(families.get("size")?.samples.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5_555, 4]);
  });

  test("escapes help and labels, and has quantiles within 1 %", async () => {
    const family = parseExposition(await filled().prometheus()).get("http_request");
    expect(family?.help).toBe("Requests\\nand \\\\more");
    const paths = new Set(family?.samples.map(({ labels }) => labels["path"]));
    expect([...paths]).toEqual(["/", 'a"b\\c\nd']);
    const median = family?.samples.find(({ labels }) => labels["quantile"] === "0.5");
    expect(Math.abs((median?.value ?? 0) / 50 - 1)).toBeLessThan(0.0101);
  });

  test("is there in the format of OpenMetrics", async () => {
    const text = await filled().prometheus({ format: "openmetrics" });
    const families = parseExposition(text, "openmetrics");
    expect(families.get("requests")?.samples[0]?.name).toBe("requests_total");
  });

  test("gives metrics whose names would be the same different ones", async () => {
    const { telemetry } = scene();
    telemetry.emitCounter(["a", "b"]);
    telemetry.emitCounter(["a_b"], 2, {});
    telemetry.emitCounter(["a.b"], 3, {});
    telemetry.emitGauge(["a", "b"], 4);
    telemetry.emitHistogram(["a", "b"], 5);
    telemetry.emitGauge(["a", "b", "count"], 6);
    telemetry.emitGauge(["0 days", "ü"], 7);
    const families = parseExposition(await telemetry.prometheus());
    const gauges = [...families.values()].filter(({ type }) => type === "gauge");
    expect(gauges.map(({ samples }) => samples[0]?.value).sort()).toEqual([0, 4, 6, 7]);
    const counters = [...families.values()].filter(({ type }) => type === "counter");
    expect(counters.map(({ samples }) => samples[0]?.value).sort()).toEqual([1, 2, 3]);
    expect(families.has("_0_days__")).toBe(true);
    parseExposition(await telemetry.prometheus({ format: "openmetrics" }), "openmetrics");
  });

  test("shows registries of the program as well, whose names stay theirs", async () => {
    const registry = new Registry();
    const own = new Counter({ name: "requests_total", help: "Mine", registers: [registry] });
    own.inc(7);
    const families = parseExposition(await filled().prometheus({ registries: [registry] }));
    expect(families.get("requests_total")?.samples[0]?.value).toBe(7);
    expect(families.get("requests_counter_total")?.samples[0]?.value).toBe(3);
  });

  test.each([
    { scope: "cluster" },
    { format: "json" },
    { registries: [{}] },
    { timeoutMs: -1 },
    { signal: {} },
    { fromat: "prometheus" },
  ])("refuses options that cannot be: %j", async (options) => {
    const { telemetry } = scene();
    await expect(telemetry.prometheus(options as never)).rejects.toMatchObject({
      code: "invalid_options",
    });
  });
});

describe("the handler", () => {
  async function withServer(telemetry: Telemetry, run: (url: string) => Promise<void>) {
    const server = createServer(telemetry.metricsHandler());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    try {
      await run(`http://127.0.0.1:${port}/`);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  test("answers in the format that is asked for, and nothing but GET and HEAD", async () => {
    await withServer(filled(), async (url) => {
      const plain = await fetch(url);
      expect(plain.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      parseExposition(await plain.text());
      const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
      const open = await fetch(url, { headers: { accept } });
      expect(open.headers.get("content-type")).toContain("application/openmetrics-text");
      parseExposition(await open.text(), "openmetrics");
      const head = await fetch(url, { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
      const posted = await fetch(url, { method: "POST" });
      expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    });
  });

  test("says why where there is no answer", async () => {
    const { slot, core, telemetry } = scene();
    slot.remove(core);
    await withServer(telemetry, async (url) => {
      const failed = await fetch(url);
      expect([failed.status, await failed.text()]).toEqual([503, "service_unavailable\n"]);
    });
  });

  test("refuses options that cannot be before anybody asks", () => {
    const { telemetry } = scene();
    const code = codeOf(() => telemetry.metricsHandler({ scope: "all" as never }));
    expect(code?.[0]).toBe("invalid_options");
  });
});
