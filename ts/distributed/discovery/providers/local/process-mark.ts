import { readFile, readlink } from "node:fs/promises";

/** What tells a process from a later one with its number. */
export interface ProcessMark {
  /** Its number. */
  readonly pid: number;
  /** When it was started, in whatever the system counts; empty where it does not tell. */
  readonly start: string;
  /** Whose numbers these are: containers count their own. Empty where the system does not tell. */
  readonly space: string;
}

/** The mark of this process. */
export async function ownMark(): Promise<ProcessMark> {
  const { pid } = process;
  const [{ start }, space] = await Promise.all([factsOf(pid), spaceOfNumbers()]);
  return { pid, start, space };
}

/**
 * Whether a process is there no more, so far as `own` can tell; undefined for one that counts in
 * another space of numbers.
 */
export async function isGone(
  { pid, start, space }: ProcessMark,
  own: ProcessMark,
): Promise<boolean | undefined> {
  if (space !== own.space) return undefined;
  if (!isThere(pid)) return true;
  const now = await factsOf(pid);
  return now.isDead || (start !== "" && now.start !== "" && now.start !== start);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // One of somebody else may not be asked, which shows that it is there.
    return (thrown as { code?: unknown }).code === "EPERM";
  }
}

interface ProcessFacts {
  readonly start: string;
  /** It has ended, and its parent has not asked how. */
  readonly isDead: boolean;
}

async function factsOf(pid: number): Promise<ProcessFacts> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "latin1"),
      readFile("/proc/sys/kernel/random/boot_id", "latin1"),
    ]);
    // The name before it may hold anything. State and start are fields 3 and 22 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const isDead = fields[0] === "Z" || fields[0] === "X";
    return { start: `${boot.trim()}:${fields[19] ?? ""}`, isDead };
  } catch {
    // There is no such folder, or the process has just gone, which the next look shows.
    return { start: "", isDead: false };
  }
}

async function spaceOfNumbers(): Promise<string> {
  try {
    return await readlink("/proc/self/ns/pid");
  } catch {
    // Only Linux has such spaces.
    return "";
  }
}
