import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { sleepingTests } from "./sleeping-tests.ts";

const SCRIPT = "test/unit/room.test.ts";
const RUST = "native/link/tests/pair.rs";

describe("sleeping tests", () => {
  test.each([
    "await new Promise((resolve) => setTimeout(resolve, 100));",
    "await new Promise((done) => { setTimeout(() => done(), 100); });",
    'import { setTimeout as pause } from "node:timers/promises";',
    "await sleep(100);",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);",
  ])("%s is found", (text) => {
    expect(objections(sleepingTests, { [SCRIPT]: text })).toEqual([`${SCRIPT}:1`]);
  });

  test.each([
    "await new Promise((resolve, reject) => { on(resolve); setTimeout(reject, 100); });",
    "await new Promise((resolve) => node.once('up', resolve));",
    "Atomics.wait(shared, 0, 0, 100);",
    'import { setImmediate } from "node:timers/promises";',
  ])("%s is a wait, not a sleep", (text) => {
    expect(objections(sleepingTests, { [SCRIPT]: text })).toEqual([]);
  });

  test("Rust tests and test modules are searched, product code and real processes are not", () => {
    const sleep = "fn wait() { thread::sleep(TEN); }";
    const tree = {
      [RUST]: sleep,
      "native/link/src/state.rs": `${sleep}\n#[cfg(test)]\nmod tests {\n    ${sleep}\n}\n`,
      "native/link/tests/fuse.rs": "use std::{thread::{self, sleep}, time::Duration};",
      "native/ring/tests/stream.rs": "fn sleep() { wakeups.recv_timeout(TEN); } fn x() { sleep() }",
      "test/integration/kill.test.ts": "await sleep(100);",
      "native/node/tests/integration.rs": sleep,
    };
    expect(objections(sleepingTests, tree)).toEqual([
      `${RUST}:1`,
      "native/link/src/state.rs:4",
      "native/link/tests/fuse.rs:1",
    ]);
  });
});
