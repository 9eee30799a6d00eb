import { readFileSync } from "node:fs";

/** What the control group of this process may use of memory, and uses. Unit: bytes. */
export interface CgroupMemory {
  readonly version: 1 | 2;
  /** Path of the group, as `/proc/self/cgroup` has it. */
  readonly path: string;
  /** The tightest limit of the group and those above it; undefined where none of them has one. */
  readonly limitBytes: number | undefined;
  /** What the group uses at present, page cache included. */
  readonly usedBytes: number;
}

/** Reads a small text file; undefined where there is none. */
export type TextReader = (path: string) => string | undefined;

const ROOT = "/sys/fs/cgroup";

/** Version 1 writes the largest multiple of a page for "no limit". */
const UNLIMITED_BYTES = 2 ** 62;

/** Where each version keeps its figures. */
const FILES = {
  1: { mount: `${ROOT}/memory`, limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes" },
  2: { mount: ROOT, limit: "memory.max", used: "memory.current" },
} as const;

/**
 * The memory of this process's control group; undefined where the system keeps none. In a container
 * whose root is a group itself, the figures at the mount are those of the container.
 */
export function cgroupMemory(read: TextReader = readText): CgroupMemory | undefined {
  const place = findGroup(read("/proc/self/cgroup") ?? "");
  if (place === undefined) return undefined;
  const { version, path } = place;
  const { mount, limit, used } = FILES[version];
  const folders = foldersOf(mount, path);
  const inUse = folders.map((folder) => numberIn(read(`${folder}/${used}`)));
  const usedBytes = inUse.find((bytes) => bytes !== undefined);
  if (usedBytes === undefined) return undefined;
  const limits = folders
    .map((folder) => numberIn(read(`${folder}/${limit}`)))
    .filter((bytes) => bytes !== undefined && bytes < UNLIMITED_BYTES) as number[];
  return {
    version,
    path,
    limitBytes: limits.length > 0 ? Math.min(...limits) : undefined,
    usedBytes,
  };
}

/** Version 1 where the memory controller is mounted by itself, else version 2. */
function findGroup(text: string): { version: 1 | 2; path: string } | undefined {
  const rows = text.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  const first = rows.find((row) => row?.[1]?.split(",").includes("memory") === true);
  if (first != null) return { version: 1, path: first[2] as string };
  const second = rows.find((row) => row?.[1] === "");
  return second == null ? undefined : { version: 2, path: second[2] as string };
}

/** The group's folder and those above it, the group first. */
function foldersOf(mount: string, path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  const folders = [mount as string];
  for (const part of parts) folders.unshift(`${folders[0]}/${part}`);
  return folders;
}

function numberIn(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
