/** Programs of a run by hand, and what they need. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setInterval } from "node:timers/promises";

const LOOK_MS = 100;

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Whether it is so within some time; what `isSo` throws until then is "not yet". */
export async function comesTrue(isSo, withinMs) {
  const endMs = performance.now() + withinMs;
  const look = async () => isSo();
  for await (const _ of setInterval(LOOK_MS)) {
    if (await look().catch(() => false)) return true;
    if (performance.now() > endMs) return false;
  }
}

/** Resolves when a program answers. */
export async function ready(what, isReady) {
  if (!(await comesTrue(isReady, 120_000))) throw new Error(`${what} did not become ready`);
}

/** Programs that end with this one. */
export class ChildProcesses {
  #children = [];

  /** Starts one; what it says goes where this program's words go. */
  run(program, args) {
    const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) => {
      throw new Error(`${program} cannot be started`, { cause: error });
    });
    this.#children.push(child);
    return child;
  }

  /** Ends all that run. */
  async close() {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
}
