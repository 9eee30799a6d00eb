// Events on disk: stored, synced, found again by another opening of the store.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEvent, encodeEvent, WarmStore } from "foundation-runtime";

const path = await mkdtemp(join(tmpdir(), "events-"));
const store = await WarmStore.open({ path, durability: "disk" });

/** An event as a log takes it. */
const logged = (eventId, eventType, correlationId, data) => {
  const timestamp = 1_700_000_000_000 + eventId;
  const event = { eventId, eventType, correlationId, timestamp, wallTime: timestamp, data };
  const bytes = encodeEvent({ ...event, hlc: null, node: null, pid: null, parentId: null });
  return { eventId, eventType, correlationId, timestamp, bytes };
};

await Promise.all([
  store.append([logged(1, "order placed", "order 7", { euros: 40 })]),
  store.append([logged(2, "order placed", "order 8", { euros: 15 })]),
  store.append([logged(3, "order paid", "order 7", { by: "card" })]),
]);
const { events, commits } = await store.stats();
console.log(`${events} events in ${commits} commit outlive a power loss`);
await store.close();

const again = await WarmStore.open({ path });
for (const bytes of await again.query({ correlationId: "order 7", limit: 10 })) {
  const { eventType, data } = decodeEvent(bytes);
  console.log(eventType, JSON.stringify(data));
}
await again.close();
await rm(path, { recursive: true });
