import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { errorCodes } from "./error-codes.ts";

const MANUAL = "| code | remedy |\n|---|---|\n| `room_full` | wait |\n";
const PATH = "ts/beam/room.ts";

describe("error codes", () => {
  test("an error class without a code is found", () => {
    const text =
      "class RoomFullError extends FoundationError {\n  constructor() { super(code()); }\n}";
    const tree = { [PATH]: text, "docs/errors.md": "" };
    expect(objections(errorCodes, tree)).toEqual([`${PATH}:1`]);
  });

  test.each([
    [
      "a class",
      PATH,
      'class RoomError extends FoundationError { constructor() { super("room_lost"); } }',
    ],
    ["a field", PATH, 'class RoomError extends Error { readonly code = "room_lost"; }'],
    ["a throw", PATH, 'throw new FoundationError("room_lost", "gone");'],
    ["the table", "ts/base/errors.ts", "export const ERROR_CODES = { room_lost: 1 } as const;"],
    ["the list", "ts/base/errors.ts", 'export const ERROR_CODES = ["room_lost"] as const;'],
    [
      "Rust",
      "native/link/src/error.rs",
      'fn code(&self) -> &str { match self { _ => "room_lost" } }',
    ],
  ])("a code of %s that the manual lacks is found", (_where, path, text) => {
    expect(objections(errorCodes, { [path]: text, "docs/errors.md": "" })).toEqual([`${path}:1`]);
  });

  test("a code that is not snake_case is found", () => {
    const tree = {
      [PATH]: 'throw new FoundationError("RoomFull", "");',
      "docs/errors.md": "`RoomFull`",
    };
    expect(objections(errorCodes, tree)).toEqual([`${PATH}:1`]);
  });

  test("an entry of the manual that no source can raise is found", () => {
    expect(objections(errorCodes, { "docs/errors.md": MANUAL })).toEqual(["docs/errors.md:3"]);
  });

  test("explained codes pass, and so does a base class that is told its code", () => {
    const tree = {
      "ts/base/errors.ts":
        "class FoundationError extends Error { constructor(code, text) { super(text); } }",
      [PATH]:
        'class FullError extends FoundationError { constructor() { super("room_full", ""); } }',
      "docs/errors.md": MANUAL,
    };
    expect(objections(errorCodes, tree)).toEqual([]);
  });
});
