import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { ReceivedParcels } from "../../ts/services/events/received-parcels.ts";

/** Parcels whose storing settles when it is told to. */
function received(): {
  parcels: ReceivedParcels;
  receive: (sender: string, number: number) => Promise<void>;
  stored: string[];
  settle: (error?: Error) => void;
} {
  const parcels = new ReceivedParcels();
  const stored: string[] = [];
  const settlers: ((error?: Error) => void)[] = [];
  const receive = async (sender: string, number: number): Promise<void> =>
    parcels.receive({ op: "store", sender, number }, async () => {
      stored.push(`${sender}${number}`);
      return new Promise<void>((resolve, reject) => {
        settlers.push((error) => (error === undefined ? resolve() : reject(error)));
      });
    });
  return { parcels, receive, stored, settle: (error) => settlers.shift()?.(error) };
}

describe("a parcel of events that comes twice", () => {
  test("is stored once, and both get the answer of the one time", async () => {
    const { receive, stored, settle } = received();
    const both = [receive("a", 1), receive("a", 1)];
    settle();
    await Promise.all(both);
    await receive("a", 1);
    expect(stored).toEqual(["a1"]);
    const full = new Error("the disk is full");
    const refused = [receive("a", 2), receive("a", 2)].map((one) => expect(one).rejects.toBe(full));
    settle(full);
    await Promise.all(refused);
    await expect(receive("a", 2)).rejects.toBe(full);
    expect(stored).toEqual(["a1", "a2"]);
  });

  test("is stored the second time where the store was away at the first", async () => {
    const { receive, stored, settle } = received();
    const first = receive("a", 1);
    settle(new FoundationError("service_unavailable", "away", { numericCode: 3000 }));
    await expect(first).rejects.toMatchObject({ numericCode: 3000 });
    const second = receive("a", 1);
    settle();
    await second;
    expect(stored).toEqual(["a1", "a1"]);
  });

  test("is known among those of 1,024 senders, of which the silent are forgotten", async () => {
    const { receive, stored, settle } = received();
    const receiveOne = async (sender: string): Promise<void> => {
      const one = receive(sender, 1);
      settle();
      return one;
    };
    for (let sender = 0; sender < 1_024; sender++) await receiveOne(`${sender}:`);
    await receiveOne("0:");
    expect(stored).toHaveLength(1_024);
    await receiveOne("new:");
    await receiveOne("0:");
    expect(stored).toHaveLength(1_025);
    await receiveOne("1:");
    expect(stored).toHaveLength(1_026);
  });
});
