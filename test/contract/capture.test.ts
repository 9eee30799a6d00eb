import { expect, test } from "vitest";
import { scenario } from "./child-program.ts";

const SCENARIOS = "./capture-scenarios.mjs";

test("nothing is lost of what many isolates record at once, where they wait for room", async () => {
  expect(await scenario(SCENARIOS, ["together", "block"])).toEqual({
    ...{ wrong: 0, missing: 0, hasDropped: false, isAllRead: true, isAllTaken: true },
  });
});

test("each event is read or counted where the oldest one is dropped", async () => {
  expect(await scenario(SCENARIOS, ["together", "drop_oldest"])).toMatchObject({
    ...{ wrong: 0, missing: 0, isAllRead: true },
  });
});

test("each event is read or counted where the newest one is dropped", async () => {
  expect(await scenario(SCENARIOS, ["together", "drop_newest"])).toMatchObject({
    ...{ wrong: 0, missing: 0, isAllRead: true },
  });
});

test("a worker that is terminated while it records harms nobody", async () => {
  expect(await scenario(SCENARIOS, ["terminated", "30"])).toEqual({
    ...{ wrong: 0, heardOf: true, lost: 0, goesOn: 1 },
  });
});

test("a wait for room has an end, and is over when somebody reads", async () => {
  expect(await scenario(SCENARIOS, ["stuck"])).toEqual({
    ...{ code: "capture_full", unread: 50, dropped: 1 },
    ...{ isTaken: true, last: "patient", isLateSeen: false },
  });
});
