/** Writes back what comes over the one connection it accepts. */

import { endWithRunner, fail } from "../../child.mjs";
import { acceptOne } from "./listen.mjs";

async function main() {
  endWithRunner();
  const socket = await acceptOne();
  socket.on("error", fail);
  socket.on("data", (ping) => socket.write(ping));
}

main().catch(fail);
