import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { documentedExports } from "./documented-exports.ts";

const PATH = "ts/kernel/room.ts";

describe("documented exports", () => {
  test.each([
    "export const size = 1;",
    "export function enter() {}",
    "export interface Door {}",
    "export type Key = string;",
    "export class Room {}",
    "/** Room. */ export class Room {}",
    "/* Not a doc comment, though long enough. */ export class Room {}",
    "class Room {} export { Room };",
    "/** Stands above another statement altogether. */ leave(); export class Room {}",
  ])("%s is found", (text) => {
    expect(objections(documentedExports, { [PATH]: text })).toEqual([`${PATH}:1`]);
  });

  test.each([
    "/** Holds what the door lets through. */\nexport class Room {}",
    "/** Holds what the door lets through. */\nclass Room {}\nexport { Room };",
    'export { Door } from "./door.ts";',
    "class Room {}",
    "/** Lets one in, by key. */\nexport function enter(key: 1): void;\nexport function enter() {}",
  ])("%s passes", (text) => {
    expect(objections(documentedExports, { [PATH]: text })).toEqual([]);
  });

  test("configurations read by tools need none", () => {
    expect(objections(documentedExports, { "vitest.config.ts": "export const x = 1;" })).toEqual(
      [],
    );
  });
});
