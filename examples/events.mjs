// What happened to an order: stored, told of, found again by what the events have in common.
import { Foundation } from "foundation-runtime";

const node = await Foundation.start();
const { events } = node;

const mail = ({ data }) => console.log(`mail to ${data.customer}`);
events.subscribe(mail, { eventType: "order_paid" });

const placed = events.newEvent("order_placed", { customer: "ann", items: ["pear", "plum"] });
events.store(placed);
const { correlationId, eventId: parentId } = placed;
const paid = events.newEvent("order_paid", { customer: "ann" }, { correlationId, parentId });
await events.record(paid); // as `store`, in any isolate of the node

for (const { eventType, timestamp } of events.getCorrelationChain(correlationId)) {
  console.log(eventType, timestamp - placed.timestamp < 60_000 ? "within a minute" : "later");
}
const [last] = events.query({ eventType: "order_placed", descending: true, limit: 1 });
console.log(last.data.items.join(" and "));

const bytes = events.serialize(paid);
console.log(events.deserialize(bytes).parentId === placed.eventId);
await node.leave();
