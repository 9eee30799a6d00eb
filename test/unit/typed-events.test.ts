import { describe, expect, test } from "vitest";
import { TypedEvents } from "../../ts/base/typed-events.ts";

interface Sounds {
  bark: string;
  meow: number;
}

describe("listeners", () => {
  test("are called in the order of subscription, for their own event only", () => {
    const events = new TypedEvents<Sounds>();
    const heard: unknown[] = [];
    events.on("bark", (text) => heard.push(["first", text]));
    events.on("meow", (count) => heard.push(["cat", count]));
    events.on("bark", (text) => heard.push(["second", text]));
    events.emit("bark", "wau");
    expect(heard).toEqual([
      ["first", "wau"],
      ["second", "wau"],
    ]);
  });

  test("of one function subscribed twice are two, each stopped on its own", () => {
    const events = new TypedEvents<Sounds>();
    const heard: string[] = [];
    const listener = (text: string): number => heard.push(text);
    const stopFirst = events.on("bark", listener);
    const stopSecond = events.on("bark", listener);
    events.emit("bark", "a");
    stopFirst();
    stopFirst();
    events.emit("bark", "b");
    stopSecond();
    events.emit("bark", "c");
    expect(heard).toEqual(["a", "a", "b"]);
  });

  test("that come or go during an event do so from the next one on", () => {
    const events = new TypedEvents<Sounds>();
    const heard: string[] = [];
    events.on("bark", () => {
      stopLast();
      events.on("bark", (text) => heard.push(`new ${text}`));
    });
    const stopLast = events.on("bark", (text) => heard.push(`last ${text}`));
    events.emit("bark", "a");
    expect(heard).toEqual(["last a"]);
    events.emit("bark", "b");
    expect(heard).toEqual(["last a", "new b"]);
  });
});
