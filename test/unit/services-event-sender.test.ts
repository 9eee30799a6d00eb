import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { errorToRecord } from "../../ts/services/errors/json.ts";
import { decodeEvent } from "../../ts/services/events/event-codec.ts";
import { EventSender } from "../../ts/services/events/event-sender.ts";
import type {
  EventParcel,
  EventReceipt,
  EventRequest,
} from "../../ts/services/events/event-wire.ts";
import { eventOf } from "./services-event-scene.ts";

type Answer = EventReceipt | Error;

function sender(
  answers: Answer[],
  pendingEventsMax = 100,
): {
  one: EventSender;
  clock: ManualClock;
  parcels: number[][];
  numbers: string[];
} {
  const clock = new ManualClock();
  const parcels: number[][] = [];
  const numbers: string[] = [];
  const ask = async (request: EventRequest): Promise<EventReceipt> => {
    expect(request.op).toBe("store");
    const { events, sender: name, number } = request as EventParcel;
    numbers.push(`${name} ${number}`);
    parcels.push(events.map((bytes) => decodeEvent(bytes).eventId));
    const answer = answers.shift() ?? {};
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const limits = { pendingEventsMax, pendingBytesMax: 1 << 20 };
  return { one: new EventSender({ ask }, () => limits, clock), clock, parcels, numbers };
}

const refused = (code: "noproc" | "type_mismatch"): FoundationError =>
  new FoundationError(code, "refused");

const DOWN = errorToRecord(
  new FoundationError("service_unavailable", "away", { numericCode: 3000 }),
);

describe("events on their way to the store of another isolate", () => {
  test("travel together where they come in one turn, and batches by themselves", async () => {
    const { one, parcels } = sender([]);
    const sent = [1, 2].map(async (eventId) => one.send(eventOf({ eventId })));
    sent.push(one.sendBatch([3, 4].map((eventId) => eventOf({ eventId }))));
    sent.push(one.send(eventOf({ eventId: 5 })));
    expect(one.size).toBe(5);
    await Promise.all(sent);
    expect(parcels).toEqual([[1, 2], [3, 4], [5]]);
    expect(one.size).toBe(0);
  });

  test("are sent again where their way was cut, in their order", async () => {
    const { one, clock, parcels, numbers } = sender([refused("noproc"), { error: DOWN }]);
    const first = one.send(eventOf({ eventId: 1 }));
    await expect.poll(() => parcels.length).toBe(1);
    const second = one.send(eventOf({ eventId: 2 }));
    await clock.advanceAsync(50);
    await clock.advanceAsync(50);
    await Promise.all([first, second]);
    expect(parcels).toEqual([[1], [1], [1], [2]]);
    expect(new Set(numbers.slice(0, 3)).size).toBe(1);
    expect(numbers[3]).not.toBe(numbers[0]);
  });

  test("are given up after ten seconds, with the last error", async () => {
    const { one, clock, parcels } = sender(Array.from({ length: 400 }, () => refused("noproc")));
    const sent = one.send(eventOf({ eventId: 1 }));
    const settled = expect(sent).rejects.toMatchObject({ code: "noproc" });
    await expect.poll(() => parcels.length).toBe(1);
    await clock.advanceAsync(10_000);
    await settled;
    expect(parcels.length).toBe(1 + 10_000 / 50);
    expect(one.size).toBe(0);
  });

  // The second is what a log failed with: the events were stored.
  test.each(["type_mismatch", "noproc"] as const)("are not sent again for `%s`", async (code) => {
    const { one, parcels } = sender([{ error: errorToRecord(refused(code)) }]);
    await expect(one.send(eventOf({ eventId: 1 }))).rejects.toMatchObject({ code });
    await one.send(eventOf({ eventId: 2 }));
    expect(parcels).toEqual([[1], [2]]);
  });

  test("are bounded in number and bytes, and checked before they leave", async () => {
    const { one } = sender([], 2);
    const sent = [1, 2].map(async (eventId) => one.send(eventOf({ eventId })));
    const full = { code: "service_unavailable", numericCode: 3000 };
    await expect(one.send(eventOf({ eventId: 3 }))).rejects.toMatchObject(full);
    await Promise.all(sent);
    const large = ["a", "b"].map((text) => eventOf({ data: text.repeat(700_000) }));
    await expect(one.sendBatch(large)).rejects.toMatchObject(full);
    await expect(one.send(eventOf({ eventId: 0 }))).rejects.toMatchObject({ numericCode: 2002 });
    expect(one.size).toBe(0);
  });
});
