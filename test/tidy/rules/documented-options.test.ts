import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { documentedOptions } from "./documented-options.ts";

const PATH = "ts/kernel/options.ts";
const options = (field: string): string => `export interface RoomOptions {\n${field}\n}`;

describe("documented options", () => {
  test.each([
    ["no doc", "  readonly name: string;"],
    ["no unit", "  /** How wide the door opens. */ readonly width: number;"],
    ["no word on its absence", "  /** Who may enter. */ readonly guest?: string;"],
    ["no doc in a nested object", "  readonly door: {\n /** In ms. */ readonly openMs: number };"],
  ])("a field with %s is found", (_problem, field) => {
    expect(objections(documentedOptions, { [PATH]: options(field) })).toEqual([`${PATH}:2`]);
  });

  test.each([
    "  /** How long the door stays open. */ readonly openMs: number;",
    "  /** How wide the door opens. Unit: degrees. */ readonly width: number;",
    "  /** Who may enter. Default: everybody. */ readonly guest?: string;",
  ])("%s passes", (field) => {
    expect(objections(documentedOptions, { [PATH]: options(field) })).toEqual([]);
  });

  test("one pointer to the defaults speaks for every optional field", () => {
    const interfaceText = options("  /** Who may enter. */ readonly guest?: string;");
    const text = `/** See {@link ROOM_DEFAULTS}. */\n${interfaceText}`;
    expect(objections(documentedOptions, { [PATH]: text })).toEqual([]);
  });

  test("a default without source or reason is found", () => {
    const text = [
      "export const ROOM_DEFAULTS: RoomOptions = Object.freeze({",
      "  openMs: 10, // long enough to walk through",
      "  // Measured at the door of the laboratory.",
      "  width: 90,",
      "  height: 200,",
      "  guest: 'nobody',",
      "});",
    ].join("\n");
    expect(objections(documentedOptions, { [PATH]: text })).toEqual([`${PATH}:5`, `${PATH}:6`]);
  });
});
