import { FoundationError } from "../base/errors.ts";
import type { Pid } from "../base/pid.ts";
import { isHeavy } from "./heavy.ts";
import type { LightProcess } from "./process.ts";
import type { Via } from "./process-types.ts";
import type { ProcessRuntime } from "./runtime.ts";
import { bodyOf, type Startable, type StartOptions } from "./startable.ts";

/**
 * Starts what can be started, here or in an isolate of its own; resolves once its `init` has.
 * `parent` is linked to it, from its first moment where both are in this isolate.
 *
 * @throws FoundationError `init_failed`, `timeout`; see `Processes.start`
 */
export async function startProcess(
  runtime: ProcessRuntime,
  start: Startable,
  { args = [], ...options }: StartOptions,
  parent?: { readonly process?: LightProcess; readonly pid: Pid; readonly isTemporary?: boolean },
): Promise<Pid> {
  parent?.process?.mustLive();
  if (isHeavy(start)) {
    if (runtime.host === undefined) {
      throw new FoundationError("not_attached", "a heavy process needs a node");
    }
    const { via, ...portable } = options;
    const pid = await runtime.host.start(start, args, portable, parent?.pid);
    named(runtime, pid, via);
    if (parent?.process !== undefined) runtime.link(parent.process, pid);
    return pid;
  }
  const { body, label } = bodyOf(start, args, parent?.pid, parent?.isTemporary);
  const process = await runtime.start(body, { label, ...options }, parent?.process);
  return process.pid;
}

function named(runtime: ProcessRuntime, pid: Pid, via: Via | undefined): void {
  try {
    via?.register(pid);
  } catch (thrown) {
    runtime.exit(runtime.nobody, pid, "kill");
    throw thrown;
  }
}
