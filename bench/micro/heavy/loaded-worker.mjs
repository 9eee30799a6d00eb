/** As bare-worker.mjs, with the library loaded: what an isolate pays before it can join a node. */

import "foundation-runtime";
import "./bare-worker.mjs";
