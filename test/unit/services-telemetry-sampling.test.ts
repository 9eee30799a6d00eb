import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import type { NodeMetrics } from "../../ts/kernel/node-types.ts";
import { Reporter } from "../../ts/services/telemetry/runtime/reporter.ts";
import type { RuntimeSource } from "../../ts/services/telemetry/runtime/runtime-source.ts";
import { TelemetryCore } from "../../ts/services/telemetry/telemetry-core.ts";
import { telemetryScene } from "./telemetry-scene.ts";

const KERNEL = { enableKernelMetrics: true, sampleIntervalMs: 1_000 };

/** A node whose figures a test sets. */
function source(isRoot: boolean) {
  const figures = {
    channels: {
      default: { messagesSent: 5, bytesSent: 50, messagesReceived: 0, bytesReceived: 0 },
    },
    links: { messagesSent: 5 },
    peers: [
      ...[
        { node: "b", roundTripUs: 250, queuedBytes: 9, lanes: 1, isSealed: true, busyIsolates: 0 },
      ],
      ...[
        { node: "c", roundTripUs: null, queuedBytes: 0, lanes: 0, isSealed: true, busyIsolates: 0 },
      ],
    ],
    ...{ dropped: { queue_overflow: 2 }, handshakesFailed: {}, dialsFailed: {}, linksEnded: {} },
    ...{ slabs: { live: 3, allocatedTotal: 7 }, boundary: { arenaBytes: 8, panics: 0 } },
    isolate: { messages: 4, callsWaiting: 1 },
  };
  const node = { isolates: () => [], metrics: () => figures as unknown as NodeMetrics };
  const processes = {
    counts: () => ({ spawned: 3, alive: 2 }),
    mailboxes: () => ({ messages: 9, longest: 6 }),
  };
  return { figures, node, source: { processes, node, isRoot } as unknown as RuntimeSource };
}

async function sampled(isRoot: boolean, options: object = KERNEL) {
  const clock = new ManualClock();
  const { figures, node, source: runtime } = source(isRoot);
  const core = new TelemetryCore(options, { clock, runtime });
  await core.sampled();
  const values = (): Readonly<Record<string, object>> => {
    return Object.fromEntries(
      [...core.store.parts()].map(({ name, labels, sums, gauge }) => {
        return [[...name, ...Object.values(labels)].join("."), gauge ?? sums["counter"]];
      }),
    ) as never;
  };
  return { clock, core, figures, node, runtime, values };
}

describe("figures of the kernel", () => {
  test("are counters and gauges; those of the node are told by its root alone", async () => {
    expect((await sampled(true)).values()).toMatchObject({
      "kernel.channel.messages_sent.default": 5,
      "kernel.links.messages_sent": 5,
      "kernel.peer.round_trip_seconds.b": 0.00025,
      "kernel.peer.lanes.c": 0,
      "kernel.node.dropped.queue_overflow": 2,
      "kernel.slabs.live": 3,
      "kernel.slabs.allocated_total": 7,
      "kernel.boundary.arena_bytes": 8,
      "kernel.isolate.messages": 4,
      "kernel.isolate.calls_waiting": 1,
    });
    expect((await sampled(false)).values()).toEqual({
      "kernel.isolate.messages": 4,
      "kernel.isolate.calls_waiting": 1,
      "foundation.telemetry.dropped_events": 0,
    });
  });

  test("grow by what they have grown since the last sample", async () => {
    const { clock, figures, values } = await sampled(true);
    figures.links.messagesSent = 12;
    clock.advance(999);
    expect(values()["kernel.links.messages_sent"]).toBe(5);
    clock.advance(1);
    expect(values()["kernel.links.messages_sent"]).toBe(12);
  });

  test("count nothing twice after a restart, and go on where they are", async () => {
    const { clock, core, figures, runtime, values } = await sampled(true);
    const next = new TelemetryCore(KERNEL, { clock, runtime, last: core });
    figures.links.messagesSent = 6;
    await next.sampled();
    expect(values()["kernel.links.messages_sent"]).toBe(6);
    expect(clock.pending).toBe(2); // one clean-up, one sample
  });
});

test("a probe that fails is counted, and the others go on", async () => {
  const options = { ...KERNEL, enableProcessMetrics: true };
  const { clock, node, values } = await sampled(true, options);
  node.metrics = () => {
    throw new Error("node_left");
  };
  clock.advance(2_000);
  expect(values()).toMatchObject({
    "foundation.telemetry.samples_failed": 2,
    "beam.processes.alive": 2,
    "beam.mailboxes.messages": 9,
    "beam.mailboxes.longest": 6,
  });
});

test("sampling ends with the core, also before it has begun", async () => {
  const clock = new ManualClock();
  const { source: runtime } = source(true);
  const early = new TelemetryCore(KERNEL, { clock, runtime });
  early.close();
  await early.sampled();
  const late = new TelemetryCore(KERNEL, { clock, runtime });
  await late.sampled();
  late.close();
  expect([early.store.size, clock.pending]).toEqual([0, 0]);
});

test("options that change begin or end it", async () => {
  const { clock, core } = await sampled(true);
  core.configure({ sampleIntervalMs: 1_000 });
  const { size } = core.store;
  clock.advance(300_000 + 120_000);
  expect([size > 5, core.store.size, clock.pending]).toEqual([true, 0, 1]);
  core.configure(KERNEL);
  await core.sampled();
  expect(core.store.size).toBe(size);
});

test("a value that begins anew is counted from there", () => {
  const { core, telemetry } = telemetryScene();
  const reporter = new Reporter(core, new Map());
  for (const value of [5, 8, 2]) reporter.total(["a"], value);
  expect(telemetry.getMetricsFlat().get("a")?.measurements).toEqual({ counter: 10 });
});
