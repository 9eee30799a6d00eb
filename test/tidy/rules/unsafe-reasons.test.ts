import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { unsafeReasons } from "./unsafe-reasons.ts";

const PATH = "native/ring/src/memory.rs";

describe("unsafe reasons", () => {
  test.each([
    "unsafe { read(pointer) };",
    "unsafe impl Send for Block {}",
    "unsafe fn read() {}",
    'pub unsafe extern "C" fn read() {}',
    'unsafe extern "C" {}',
    "// Fast enough.\nlet byte = unsafe { *pointer };",
    "// SAFETY: of the line above.\nlet a = 1;\nlet byte = unsafe { *pointer };",
  ])("%s is found", (text) => {
    expect(objections(unsafeReasons, { [PATH]: text })).toEqual([
      `${PATH}:${text.split("\n").length}`,
    ]);
  });

  test.each([
    "// SAFETY: the caller keeps the block alive.\nlet byte = unsafe { *pointer };",
    "// SAFETY: the caller keeps\n// the block alive.\nlet byte =\n    unsafe { *pointer };",
    "/// Reads.\n/// # Safety\n/// The pointer is valid.\n#[inline]\npub unsafe fn read() {}",
    "// SAFETY: positions are atomic.\nunsafe impl Send for Block {}",
    "// unsafe { only prose }",
    'const NOTE: &str = "unsafe { }";',
    "type Entry = unsafe extern fn(u32);",
    "#![forbid(unsafe_code)]",
  ])("%s passes", (text) => {
    expect(objections(unsafeReasons, { [PATH]: text })).toEqual([]);
  });
});
