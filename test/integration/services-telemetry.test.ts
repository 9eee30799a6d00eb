import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import * as openTelemetry from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Foundation, type FoundationNode, type Pid } from "../../dist/ts/index.js";
import { parseExposition } from "../unit/exposition-parser.ts";

const WORKER = fileURLToPath(new URL("./fixtures/telemetry-worker.mjs", import.meta.url));
const ROOT = join(import.meta.dirname, "../..");
const EVERYTHING = {
  ...{ enableVmMetrics: true, enableProcessMetrics: true, enableKernelMetrics: true },
  sampleIntervalMs: 100,
};

/** Reads metrics when the test asks for them, and never else. */
class AskedReader extends MetricReader {
  override async onForceFlush(): Promise<void> {}
  override async onShutdown(): Promise<void> {}
}

let node: FoundationNode;
let worker: Worker;
let slot: string;

async function ask(act: string, args: object = {}): Promise<unknown> {
  const answer = once(worker, "message");
  worker.postMessage({ act, ...args });
  return ((await answer) as [unknown])[0];
}

beforeEach(async () => {
  node = await Foundation.start({ telemetry: EVERYTHING });
  worker = new Worker(WORKER);
  slot = String(((await once(worker, "message")) as [number])[0]);
});

afterEach(async () => {
  await worker.terminate();
  await node.leave();
});

describe("the metrics of a node", () => {
  test("are the sums of all its isolates, whichever asks", async () => {
    const { telemetry } = node;
    telemetry.emitCounter(["hits"], 2, {});
    telemetry.emitGauge(["level"], 5);
    for (const value of [1, 2, 3]) telemetry.emitHistogram(["latency"], value);
    await ask("emit", { counter: 3, gauge: 7, values: [100, 200] });
    const { metrics, isolates, missing } = await telemetry.getNodeMetrics();
    expect([[...isolates].sort(), missing]).toEqual([["0", slot].sort(), []]);
    expect(metrics.get("hits")?.measurements).toEqual({ counter: 5 });
    expect(metrics.get("level")).toMatchObject({ count: 2, gauges: { 0: 5, [slot]: 7 } });
    const latency = metrics.get("latency")?.distributions["histogram"];
    expect(latency).toMatchObject({ count: 5, sum: 306, min: 1, max: 200 });
    expect(Math.abs((latency?.p50 ?? 0) / 3 - 1)).toBeLessThan(0.0101);
    expect(await ask("sums")).toEqual({ isolates: expect.anything() as unknown, counter: 5 });
  });

  test("travel in pages where they are many", async () => {
    await ask("many", { names: 3_000 });
    const { metrics, missing } = await node.telemetry.getNodeMetrics({ timeoutMs: 20_000 });
    const many = [...metrics.keys()].filter((name) => name.startsWith("name"));
    expect([many.length, missing]).toEqual([3_000, []]);
    expect(metrics.get("name2999")?.distributions["histogram"]).toMatchObject({
      ...{ count: 20, min: 1, max: 8_000 },
    });
  });

  test("name an isolate that does not answer, and wait for it no longer", async () => {
    const cell = new SharedArrayBuffer(4);
    expect(await ask("stand", { cell })).toBe("standing");
    try {
      node.telemetry.emitCounter(["hits"], 2, {});
      const { metrics, isolates, missing } = await node.telemetry.getNodeMetrics({ timeoutMs: 50 });
      expect(isolates).toEqual(["0"]);
      expect(missing).toEqual([{ isolate: slot, reason: "timeout" }]);
      expect(metrics.get("hits")?.measurements).toEqual({ counter: 2 });
      const families = parseExposition(await node.telemetry.prometheus({ timeoutMs: 50 }));
      const [gauge] = families.get("foundation_telemetry_missing_isolates")?.samples ?? [];
      expect(gauge?.value).toBe(1);
      const aborted = AbortSignal.abort();
      await expect(node.telemetry.getNodeMetrics({ signal: aborted })).rejects.toMatchObject({
        code: "aborted",
      });
    } finally {
      Atomics.store(new Int32Array(cell), 0, 1);
      Atomics.notify(new Int32Array(cell), 0);
    }
  });

  test("are those of the isolate that asks where the root does not answer", async () => {
    const cell = new SharedArrayBuffer(4);
    const answer = ask("alone", { cell, timeoutMs: 50 });
    Atomics.wait(new Int32Array(cell), 0, 0);
    expect(await answer).toEqual({
      isolates: [slot],
      missing: [{ isolate: "root", reason: "timeout" }],
    });
  });

  test("are those of all isolates again when who knows them was killed", async () => {
    const { processes, supervisors } = node.beam;
    const children = await supervisors.whichChildren(node.services.supervisor as Pid);
    const authority = children.find(({ id }) => id === "telemetryAuthority");
    processes.exit(authority?.pid as Pid, "kill");
    await expect
      .poll(async () => (await node.telemetry.getNodeMetrics()).isolates, { timeout: 15_000 })
      .toHaveLength(2);
  });

  test("are those of one isolate less when it has gone", async () => {
    await ask("emit", { counter: 3, gauge: 7, values: [] });
    await worker.terminate();
    await expect
      .poll(async () => (await node.telemetry.getNodeMetrics()).isolates, { timeout: 15_000 })
      .toEqual(["0"]);
  });
});

test("a change of the configuration is an event, told to who listens [F154]", () => {
  const told: unknown[] = [];
  node.telemetry.attach("mine", [["foundation", "config_updates"]], (...event) => {
    told.push(event.slice(0, 2));
  });
  node.config.update(["ai", "planning", "samplingRate"], 0.25);
  expect(told).toEqual([[["foundation", "config_updates"], expect.any(Object)]]);
});

describe("figures of the engine and the node", () => {
  test("are sampled in every isolate as the options of the node say", async () => {
    expect(await ask("config")).toMatchObject(EVERYTHING);
    const gaugesOf = async (name: string): Promise<Readonly<Record<string, number>>> => {
      return (await node.telemetry.getNodeMetrics()).metrics.get(name)?.gauges ?? {};
    };
    const isolates = ["0", slot].sort();
    for (const name of [
      ...["vm.heap.used_bytes", "vm.event_loop.utilization_ratio"],
      ...["vm.event_loop.delay_p99_seconds", "beam.processes.alive"],
    ]) {
      await expect
        .poll(async () => Object.keys(await gaugesOf(name)).sort(), { timeout: 15_000 })
        .toEqual(isolates);
    }
    const { metrics } = await node.telemetry.getNodeMetrics();
    expect(metrics.get("process.resident_bytes")?.gauges).toEqual({
      0: expect.any(Number) as number,
    });
    // A sample may be older than the worker that has attached.
    for (const name of ["beam.isolates.attached", "kernel.node.isolates"]) {
      await expect.poll(async () => gaugesOf(name), { timeout: 15_000 }).toEqual({ 0: 2 });
    }
    const spaces = metrics.get("vm.heap.space_used_bytes")?.labelled ?? [];
    expect(spaces.map(({ labels }) => labels["space"])).toContain("old_space");
  });

  test("are those of this moment: what the program does is seen in the next sample", async () => {
    const { processes } = node.beam;
    const alive = (): number => {
      return (
        node.telemetry.getMetricsFlat().get("beam.processes.alive")?.measurements["gauge"] ?? 0
      );
    };
    const before = processes.counts().alive;
    for (let one = 0; one < 50; one++) processes.spawn(() => {});
    await expect.poll(alive, { timeout: 15_000 }).toBe(before + 50);
  });

  test("are gone where nobody asked for them, and count on behind a restart", async () => {
    const plain = await Foundation.start();
    expect(plain.telemetry.getMetricsFor(["vm"]).size).toBe(0);
    await plain.leave();
    const spawned = (): number | undefined => {
      return node.telemetry.getMetricsFlat().get("beam.processes.spawned")?.measurements["counter"];
    };
    await expect.poll(spawned, { timeout: 15_000 }).toBe(node.beam.processes.counts().spawned);
    const children = await node.beam.supervisors.whichChildren(node.services.supervisor as never);
    const service = children.find(({ id }) => id === "telemetry");
    node.beam.processes.exit(service?.pid as never, "kill");
    await node.beam.supervisors.whichChildren(node.services.supervisor as never);
    for (let one = 0; one < 5; one++) node.beam.processes.spawn(() => {});
    await expect.poll(spawned, { timeout: 15_000 }).toBe(node.beam.processes.counts().spawned);
  });

  test("keep no program alive", () => {
    const url = new URL("../../dist/ts/index.js", import.meta.url).href;
    const program = `
      const { Foundation } = await import(${JSON.stringify(url)});
      const node = await Foundation.start({ telemetry: ${JSON.stringify(EVERYTHING)} });
      node.unref();
      console.log(node.telemetry.status().config.enableVmMetrics);`;
    const args = ["--input-type=module", "-e", program];
    const printed = execFileSync(process.execPath, args, { timeout: 60_000, encoding: "utf8" });
    expect(printed).toBe("true\n");
  });
});

test("OpenTelemetry gets the metrics of all isolates", async () => {
  const reader = new AskedReader();
  const meters = new MeterProvider({ readers: [reader] });
  const pointsOf = async (name: string): Promise<unknown> => {
    const { resourceMetrics } = await reader.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const found = metrics.find(({ descriptor }) => descriptor.name === name);
    return found?.dataPoints.map(({ attributes, value }) => [attributes, value]);
  };
  await ask("emit", { counter: 3, gauge: 7, values: [] });
  const api = { ...openTelemetry, metrics: meters };
  await node.telemetry.attachOpenTelemetry({ api });
  node.telemetry.emitCounter(["hits"], 2, {});
  node.telemetry.emitGauge(["level"], 5);
  expect(await pointsOf("hits")).toEqual([[{}, 5]]);
  expect(await pointsOf("level")).toEqual(
    expect.arrayContaining([
      [{ isolate: "0" }, 5],
      [{ isolate: slot }, 7],
    ]),
  );
  await meters.shutdown();
});

describe("packages that only some programs have", () => {
  /** Runs a program in a folder that has this package and no other. */
  function runAlone(program: string): string {
    const folder = mkdtempSync(join(tmpdir(), "foundation-alone-"));
    try {
      const installed = join(folder, "node_modules/foundation-runtime");
      for (const part of ["dist/ts", "dist/bindings", "package.json"]) {
        cpSync(join(ROOT, part), join(installed, part), { recursive: true });
      }
      writeFileSync(join(folder, "program.mjs"), program);
      const args = [join(folder, "program.mjs")];
      return execFileSync(process.execPath, args, { timeout: 60_000, encoding: "utf8" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test("are asked for by the line that installs them where they are missing", () => {
    const printed = runAlone(`
      import { Foundation } from "foundation-runtime";
      const node = await Foundation.start();
      for (const act of ["prometheus", "attachOpenTelemetry"]) {
        await node.telemetry[act]().catch(({ code, numericCode, message }) => {
          console.log(code, numericCode, message);
        });
      }
      await node.leave();`);
    expect(printed.trimEnd().split("\n")).toEqual([
      'package_missing 28201 this needs the package prom-client: npm install "prom-client@15"',
      "package_missing 28201 this needs the package @opentelemetry/api: " +
        'npm install "@opentelemetry/api@1"',
    ]);
  });

  test("are loaded by those who use them, and by nobody else", () => {
    const index = new URL("../../dist/ts/index.js", import.meta.url).href;
    const program = `
      import { createRequire } from "node:module";
      import { Foundation } from ${JSON.stringify(index)};
      const { cache } = createRequire(${JSON.stringify(index)});
      const loaded = () => {
        const all = Object.keys(cache).join();
        return [/prom-client/.test(all), /@opentelemetry.api/.test(all)].join();
      };
      const node = await Foundation.start({ telemetry: ${JSON.stringify(EVERYTHING)} });
      node.telemetry.measure(["a"], {}, () => node.telemetry.emitCounter(["b"]));
      await node.telemetry.getNodeMetrics();
      console.log(loaded());
      await node.telemetry.attachOpenTelemetry();
      console.log(loaded());
      await node.telemetry.prometheus();
      console.log(loaded());
      await node.leave();`;
    const args = ["--input-type=module", "-e", program];
    const printed = execFileSync(process.execPath, args, { timeout: 60_000, encoding: "utf8" });
    expect(printed).toBe("false,false\nfalse,true\ntrue,true\n");
  });
});

describe("the server", () => {
  test("answers a scrape with all isolates, in a format that Prometheus reads", async () => {
    await ask("emit", { counter: 3, gauge: 7, values: [10] });
    const server = await node.telemetry.metricsServer({ port: 0 });
    const response = await fetch(server.url);
    const text = await response.text();
    const families = parseExposition(text);
    expect(families.get("level")?.samples).toEqual([
      { name: "level", labels: { isolate: slot }, value: 7 },
    ]);
    const missed = await fetch(new URL("/other", server.url));
    expect(missed.status).toBe(404);
    // Where the tools of Prometheus are installed, they are asked as well.
    const { error, status, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text });
    if (error === undefined) expect([status, stderr.toString()]).toEqual([0, ""]);
    await server.close();
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test("answers what is under way before it closes, and ends what says nothing", async () => {
    const server = await node.telemetry.metricsServer({ port: 0, path: "/m" });
    const idle = connect(server.port, "127.0.0.1");
    await once(idle, "connect");
    idle.resume();
    const asked = fetch(server.url);
    const ended = once(idle, "close");
    const response = await asked;
    const closed = server.close({ graceMs: 10 });
    expect(server.close()).toBeInstanceOf(Promise);
    parseExposition(await response.text());
    await Promise.all([closed, ended]);
  });

  test("is refused where it cannot be", async () => {
    const server = await node.telemetry.metricsServer({ port: 0 });
    const { port } = server;
    await expect(node.telemetry.metricsServer({ port })).rejects.toMatchObject({
      code: "listen_failed",
    });
    for (const options of [{ port: -1 }, { port: 70_000 }, { path: "m" }, { host: "" }]) {
      await expect(node.telemetry.metricsServer(options)).rejects.toMatchObject({
        code: "invalid_options",
      });
    }
  });

  test("ends with the node", async () => {
    const left = await Foundation.start();
    const server = await left.telemetry.metricsServer({ port: 0 });
    const idle = connect(server.port, "127.0.0.1");
    await once(idle, "connect");
    idle.resume();
    const ended = once(idle, "close");
    await left.leave();
    await ended;
    await expect(fetch(server.url)).rejects.toThrow();
  });
});
