import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SOURCE = fileURLToPath(new URL("lossy-disk/lossy-disk.c", import.meta.url));
const run = promisify(execFile);

/** A file system that loses what was not synced, when its power fails. */
export class LossyDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(folder: string, path: string, process: ChildProcess) {
    this.#folder = folder;
    this.path = path;
    this.#process = process;
    this.#lines = createInterface(process.stdout!)[Symbol.asyncIterator]();
  }

  /** Why there can be none here, or undefined. */
  static async missing(): Promise<string | undefined> {
    if (!existsSync("/dev/fuse")) return "there is no /dev/fuse";
    try {
      await run("pkg-config", ["--exists", "fuse3"]);
      await run("cc", ["--version"]);
      await run("fusermount3", ["--version"]);
      return undefined;
    } catch (error) {
      return `libfuse3-dev, fuse3, pkg-config and a C compiler are needed: ${String(error)}`;
    }
  }

  /**
   * Compiles and mounts one. With a seed above 0, it keeps some of what was not synced.
   *
   * @throws Error where it does not compile or mount
   */
  static async mount(seed: number): Promise<LossyDisk> {
    const folder = await mkdtemp(join(tmpdir(), "lossy-disk-"));
    const program = join(folder, "lossy-disk");
    const path = join(folder, "mounted");
    const { stdout } = await run("pkg-config", ["--cflags", "--libs", "fuse3"]);
    const flags = stdout.trim().split(/\s+/);
    await run("cc", ["-O2", "-Wall", "-Werror", "-o", program, SOURCE, ...flags]);
    await run("mkdir", [path]);
    const child = spawn(program, [path, String(seed)], { stdio: ["ignore", "pipe", "ignore"] });
    const disk = new LossyDisk(folder, path, child);
    await disk.#says("mounted");
    return disk;
  }

  /** The power fails: from here on every call fails, until {@link restore}. */
  async fail(): Promise<void> {
    this.#process.kill("SIGUSR1");
    await this.#says("lost");
  }

  /** The power is back. */
  async restore(): Promise<void> {
    this.#process.kill("SIGUSR2");
    await this.#says("back");
  }

  async unmount(): Promise<void> {
    const exited = once(this.#process, "exit");
    await run("fusermount3", ["-u", "-z", this.path]);
    this.#process.kill("SIGTERM");
    await exited;
    await rm(this.#folder, { recursive: true });
  }

  async #says(expected: string): Promise<void> {
    const { value } = await this.#lines.next();
    if (value !== expected) throw new Error(`the lossy disk said ${value} for ${expected}`);
  }
}
