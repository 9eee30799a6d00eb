/**
 * The worker that fills a ring in memory of its own: published once a batch, as the product does.
 */

import { workerData } from "node:worker_threads";

import { createSource, MARK, Pace } from "../../cluster/stream.mjs";
import { openRingProducer } from "../../ours.mjs";
import { BATCH_MESSAGES_MAX } from "./sizes.mjs";

const { payload, timing, memory } = workerData;
const producer = await openRingProducer(memory);
const pace = new Pace(timing, payload);
const messageOf = createSource(payload);
let unpublished = 0;
for (let sequence = 0; ; sequence += 1) {
  const mark = pace.next();
  const bytes = messageOf(sequence, mark);
  while (!producer.push(bytes)) {
    producer.publish();
    unpublished = 0;
    producer.awaitSpace();
  }
  unpublished += 1;
  if (unpublished === BATCH_MESSAGES_MAX || mark === MARK.last) {
    producer.publish();
    unpublished = 0;
  }
  if (mark === MARK.last) break;
}
