import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, expect, test } from "vitest";
import type { HookedCall } from "../../ts/beam/call-hooks.ts";
import { Scene, settled } from "./beam-scene.ts";

type Listener = (message: unknown, channel: string | symbol) => void;

let ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

/** What is published on channels of this package from now on. */
function listen(...names: string[]): [channel: string, message: unknown][] {
  const told: [string, unknown][] = [];
  const listener: Listener = (message, channel) => void told.push([String(channel), message]);
  for (const name of names) {
    subscribe(`foundation:${name}`, listener);
    ends.push(() => unsubscribe(`foundation:${name}`, listener));
  }
  return told;
}

test("the start and the end of a process are published, with what it ended by", async () => {
  const { processes } = new Scene();
  const before = processes.spawn(() => {});
  const told = listen("process:spawn", "process:exit");
  const pid = processes.spawn(() => {}, { label: "worker" });
  processes.exit(pid, "kill");
  processes.exit(before, "shutdown");
  await settled();
  expect(told).toEqual([
    ["foundation:process:spawn", { pid, label: "worker" }],
    ["foundation:process:exit", { pid, label: "worker", reason: "killed" }],
    ["foundation:process:exit", { pid: before, label: expect.anything(), reason: "shutdown" }],
  ]);
});

test("the start and the end of a call are published as one object", async () => {
  const { processes } = new Scene();
  const told = listen("call:start", "call:end");
  const echo = processes.spawn((message: unknown) => message, { name: "echo" });
  expect(await processes.call("echo", 7)).toBe(7);
  await settled();
  const [[, start], [, end]] = told as [[string, HookedCall], [string, HookedCall]];
  expect(told.map(([name]) => name)).toEqual(["foundation:call:start", "foundation:call:end"]);
  expect(end).toBe(start);
  expect(end).toEqual({ from: undefined, to: "echo", durationMs: expect.any(Number) as number });
  processes.exit(echo, "kill");
});

test("the end of a call that fails has its error, which the caller gets as well", async () => {
  const { processes } = new Scene();
  const told = listen("call:end");
  const error: unknown = await processes.call("nobody", 7).catch((thrown: unknown) => thrown);
  await settled();
  expect(error).toMatchObject({ code: "noconnection" });
  expect(told).toMatchObject([["foundation:call:end", { to: "nobody", error }]]);
});

test("the caller is the process whose handler makes the call", async () => {
  const { processes } = new Scene();
  const told = listen("call:start");
  const echo = processes.spawn((message: unknown) => message);
  const asking = processes.spawn(async () => processes.call(echo, 1));
  expect(await processes.call(asking, "ask")).toBe(1);
  expect(told).toMatchObject([
    ["foundation:call:start", { from: undefined, to: asking }],
    ["foundation:call:start", { from: asking, to: echo }],
  ]);
});

test("a listener that throws harms neither process nor call", async () => {
  const { processes } = new Scene();
  const thrown: unknown[] = [];
  const listener = (): never => {
    throw new Error("mine");
  };
  const caught = (error: unknown): void => void thrown.push(error);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", caught);
  for (const name of ["process:spawn", "call:start", "call:end"]) {
    subscribe(`foundation:${name}`, listener);
    ends.push(() => unsubscribe(`foundation:${name}`, listener));
  }
  try {
    const echo = processes.spawn((message: unknown) => message);
    expect(await processes.call(echo, 7)).toBe(7);
    await settled();
    expect(thrown).toHaveLength(3);
  } finally {
    process.off("uncaughtException", caught);
    for (const one of others) process.on("uncaughtException", one);
  }
});
