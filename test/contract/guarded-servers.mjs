// What a guard is there for, each as a server.

import { pbkdf2Sync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { GenServer } from "../../dist/ts/index.js";

function loopForever() {
  for (;;);
}

function hoard() {
  for (const kept = []; ; ) kept.push(Buffer.alloc(64 << 10, 1));
}

function spin(ms) {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
}

/** Does what its guard is there for. */
export class Guarded extends GenServer {
  handleCall(request) {
    return request;
  }

  handleCast(work) {
    if (work === "loop") loopForever();
    if (work === "hoard") hoard();
    if (work.spinMs !== undefined) {
      spin(work.spinMs);
      process.exit(3);
    }
    if (work.rounds === undefined) return;
    pbkdf2Sync("password", "salt", work.rounds, 64, "sha512");
    writeFileSync(work.path, "");
  }
}
