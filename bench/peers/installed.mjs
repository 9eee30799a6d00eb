/** Whether a rival's package is there, and where its files for one turn go. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Resolves the packages of bench/peers, whoever asks. */
const requirePeer = createRequire(new URL("package.json", import.meta.url));

/**
 * Why a package of bench/peers cannot be measured; undefined when it can.
 *
 * @param {string} name
 * @returns {() => Promise<string | undefined>}
 */
export function packageAbsence(name) {
  return async () => {
    try {
      requirePeer.resolve(name);
      return undefined;
    } catch {
      return "npm ci --prefix bench/peers installs it";
    }
  };
}

/**
 * Why one of these programs cannot be run; undefined when all can.
 *
 * @param {readonly string[]} programs
 * @returns {() => Promise<string | undefined>}
 */
export function programAbsence(programs) {
  return async () => {
    for (const program of programs) {
      try {
        await run("/bin/sh", ["-c", `command -v ${program}`]);
      } catch {
        return `${program} is not on PATH`;
      }
    }
    return undefined;
  };
}

/**
 * The first reason of several.
 *
 * @param {readonly (() => Promise<string | undefined>)[]} absences
 * @returns {() => Promise<string | undefined>}
 */
export function anyAbsence(absences) {
  return async () => {
    for (const absence of absences) {
      const reason = await absence();
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
}

let scratch;

/** A folder of this run for compiled modules and sockets; gone when the runner ends. */
export function scratchFolder() {
  if (scratch === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "foundation-bench-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    scratch = folder;
  }
  return scratch;
}

/**
 * A loopback port that was free a moment ago; a program that loses the race fails the turn.
 *
 * @returns {Promise<number>}
 */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
