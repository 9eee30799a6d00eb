/** Entry of a worker process: joins the coordinator, parses what it is sent, answers, leaves. */
import { Foundation, type FoundationNode } from "../../index.ts";
import { describeFailure } from "../exit.ts";
import { awaitMember } from "./await-member.ts";
import { IndexWorker } from "./index-worker.ts";
import {
  COORDINATOR_NAME,
  INDEX_CHANNELS,
  overlaysOf,
  type WorkerAssignment,
  type WorkerNotice,
} from "./messages.ts";

/** Time for the first contact with the coordinator. Unit: ms. */
const JOIN_TIMEOUT_MS = 20_000;
/** Time to send what is still waiting before the process ends. Unit: ms. */
const LEAVE_DRAIN_MS = 1_000;

function notify(notice: WorkerNotice): void {
  // With a callback a broken pipe is no uncaught error: the coordinator is done with this worker,
  // and the pipe's end stops it.
  process.send?.(notice, undefined, {}, () => {});
}

/** A worker that cannot work must not look alive: it says why and goes. */
function endProcess(failure: unknown): void {
  process.stderr.write(`foundation worker: ${describeFailure(failure)}\n`);
  process.exit(1);
}

async function join(assignment: WorkerAssignment): Promise<FoundationNode> {
  const node = await Foundation.start({
    name: assignment.name,
    cluster: assignment.cluster,
    listen: "127.0.0.1:0",
    seeds: [assignment.seed],
    secret: assignment.secret,
    channels: INDEX_CHANNELS,
    ...overlaysOf(assignment.overlay),
  });
  node.on("down", (member) => {
    if (member.name === COORDINATOR_NAME) process.exit(1);
  });
  new IndexWorker(node);
  await awaitMember(node, COORDINATOR_NAME, JOIN_TIMEOUT_MS);
  return node;
}

let joined: FoundationNode | undefined;

process.once("message", (assignment) => {
  join(assignment as WorkerAssignment)
    .then((node) => {
      joined = node;
      notify({ kind: "ready" });
    })
    .catch((failure: unknown) => {
      notify({ kind: "failed", message: describeFailure(failure) });
      process.exitCode = 1;
      process.disconnect();
    });
});

// The pipe closes when the coordinator releases this worker, and also when it dies in any way:
// no worker outlives its coordinator.
process.once("disconnect", () => {
  const left = joined?.leave({ drainMs: LEAVE_DRAIN_MS }) ?? Promise.resolve();
  left.then(() => process.exit(), endProcess);
});

// A terminal sends SIGINT to the whole group; the coordinator decides when its workers end.
process.on("SIGINT", () => {});
