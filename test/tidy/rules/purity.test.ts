import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { purity, purityOf } from "./purity.ts";

const scriptPurity = purityOf([], ["ts/pure/"]);

describe("purity of Rust rooms", () => {
  test.each([
    "use std::time::Instant;",
    "use std::{collections::BTreeMap, time::{Instant}};",
    "fn now() { std::thread::yield_now() }",
    "use tokio::sync::mpsc;",
    "fn seed() -> u64 { rand::random() }",
    "fn seed(out: &mut [u8]) { getrandom::fill(out).ok(); }",
    "fn open() -> ::std::net::TcpStream { todo!() }",
  ])("is broken by: %s", (line) => {
    expect(objections(purity, { "native/link/src/state.rs": `\n${line}` })).toEqual([
      "native/link/src/state.rs:2",
    ]);
  });

  test("is kept by prose, strings and words that only look alike", () => {
    const text = [
      "//! Never touches std::time::Instant.",
      "use core::time::Duration;",
      "use crate::rand::Generator;",
      'const NOTE: &str = "std::net";',
    ].join("\n");
    expect(objections(purity, { "native/link/src/state.rs": text })).toEqual([]);
  });

  test("does not bind hosts", () => {
    expect(objections(purity, { "native/node/src/clock.rs": "use std::time::Instant;" })).toEqual(
      [],
    );
  });

  test("needs a ban on unsafe code at the crate's root", () => {
    expect(objections(purity, { "native/frame/src/lib.rs": "//! Frames.\n" })).toEqual([
      "native/frame/src/lib.rs:1",
    ]);
  });

  test("forbids impure crates in the manifest, but not in its tests", () => {
    const text = '[dependencies]\ntokio = "1"\n[dev-dependencies]\nrand = "0.9"\n';
    expect(objections(purity, { "native/link/Cargo.toml": text })).toEqual([
      "native/link/Cargo.toml:2",
    ]);
  });
});

describe("purity of TypeScript rooms", () => {
  test.each([
    "const now = Date.now();",
    "setTimeout(wake, 10);",
    "const seed = Math.random();",
    'import { connect } from "node:net";',
    'import { Worker as Isolate } from "node:worker_threads";',
  ])("is broken by: %s", (line) => {
    expect(objections(scriptPurity, { "ts/pure/view.ts": `\n${line}` })).toEqual([
      "ts/pure/view.ts:2",
    ]);
  });

  test("is kept by fields that share a global's name, and not asked of other rooms", () => {
    const tree = {
      "ts/pure/view.ts": "out.fetch(Math.max(1, message.process), { crypto: 1 });",
      "ts/kernel/clock.ts": "const now = Date.now();",
    };
    expect(objections(scriptPurity, tree)).toEqual([]);
  });
});
