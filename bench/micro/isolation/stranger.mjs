/** A process that has nothing to do with the callers, and works beside them. */

import { parameters, report } from "../../child.mjs";
import { WORKS } from "./work.mjs";

const { work, deadlineMs } = parameters();
report("begun", { pid: process.pid });
// It cannot hear that the runner is gone, so it ends by itself.
WORKS[work](performance.now() + deadlineMs);
