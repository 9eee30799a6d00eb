import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Time between two looks at a lock held by another build. Unit: ms. */
const POLL_MS = 100;

/**
 * Runs `body` while no other process builds the same tree. A dead owner's lock is taken over.
 *
 * The lock is a hard link to a file that already carries the owner's identity: it appears complete
 * or not at all, so a reader never sees a half-written one.
 *
 * @template T
 * @param {string} path the lock file
 * @param {(owner: string) => void} onWait told once, when another live build holds the lock
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withBuildLock(path, onWait, body) {
  mkdirSync(dirname(path), { recursive: true });
  const identity = identityOf(process.pid);
  const claim = `${path}.${process.pid}`;
  writeFileSync(claim, identity);
  try {
    let hasWaited = false;
    while (!tryLink(claim, path)) {
      const owner = readOwner(path);
      if (owner === undefined) continue; // Released between the two looks.
      if (!isAlive(owner)) {
        breakLock(path, owner);
        continue;
      }
      if (!hasWaited) onWait(owner.split(" ")[0] ?? owner);
      hasWaited = true;
      await delay(POLL_MS);
    }
  } finally {
    rmSync(claim, { force: true });
  }
  try {
    return await body();
  } finally {
    if (readOwner(path) === identity) rmSync(path, { force: true });
  }
}

/** @param {string} from @param {string} to */
function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} path */
function readOwner(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Removes a dead owner's lock. Two waiters may see the same dead owner: each moves the file aside
 * before it judges it again, and puts back a lock that a faster waiter has taken in between.
 *
 * @param {string} path
 * @param {string} deadOwner
 */
function breakLock(path, deadOwner) {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // The other waiter was faster.
  }
  if (readOwner(aside) !== deadOwner) tryLink(aside, path);
  rmSync(aside, { force: true });
}

/**
 * A process number with its start time where the system tells it (Linux): numbers are reused.
 *
 * @param {number} pid
 */
function identityOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22 is the start time; the name (field 2) may hold spaces: count from its last bracket.
    const startTicks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid} ${startTicks}`;
  } catch {
    return `${pid}`;
  }
}

/** @param {string} owner */
function isAlive(owner) {
  const pid = Number(owner.split(" ")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
  return identityOf(pid) === owner;
}
