/** The main thread fills its ring to the kernel thread, which takes and counts the records. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createSource, MARK, Pace } from "../../cluster/stream.mjs";
import { openKernelRing } from "../../ours.mjs";
import { BATCH_MESSAGES_MAX } from "./sizes.mjs";

async function main() {
  const { payload, timing } = parameters();
  endWithRunner();
  const ring = await openKernelRing();
  const pace = new Pace(timing, payload);
  const messageOf = createSource(payload);
  let startSequence = 0;
  let startedAt = 0;
  let unpublished = 0;
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    const bytes = messageOf(sequence, mark);
    while (!ring.push(bytes)) {
      ring.publish();
      unpublished = 0;
      await ring.awaitSpace();
    }
    unpublished += 1;
    if (unpublished < BATCH_MESSAGES_MAX && mark === MARK.none) continue;
    ring.publish();
    unpublished = 0;
    if (mark === MARK.none) continue;
    // The reader cannot tell us its marks: at both of them the clock is read beside an empty ring.
    await ring.awaitEmpty();
    const now = performance.now();
    if (mark === MARK.start) {
      startSequence = sequence;
      startedAt = now;
      continue;
    }
    const sent = sequence + 1;
    if (ring.taken() !== sent) throw new Error(`${sent} were sent, ${ring.taken()} were taken`);
    report("result", {
      messages: sequence - startSequence,
      seconds: (now - startedAt) / 1000,
    });
    return;
  }
}

main().catch(fail);
