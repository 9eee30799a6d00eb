/** What a heavy worker of an ecosystem is started from, in its own isolate. */
import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { ProcessBody, Spawnable } from "../process-types.ts";
import { type Blueprint, bodyOf, isStartable } from "../startable.ts";
import { WorkerBody } from "./worker-body.ts";

/** Takes a module, the name of an export, and the arguments of what that is. */
export const worker: Blueprint = Object.freeze({
  label: "EcosystemWorker",
  isSupervisor: false,
  make: (args: readonly unknown[], parent: Pid | undefined): ProcessBody<never> => {
    const [module, name, given] = args as [string, string, readonly unknown[]];
    const body = new WorkerBody(async () => bodyIn(module, name, given, parent));
    return body as ProcessBody<never>;
  },
});

async function bodyIn(
  module: string,
  name: string,
  args: readonly unknown[],
  parent: Pid | undefined,
): Promise<Spawnable<unknown>> {
  const loaded = (await import(module)) as Record<string, unknown>;
  const start = loaded[name];
  if (!isStartable(start)) {
    const names = Object.keys(loaded).join(", ");
    const text = `'${module}' exports no worker as '${name}' (it has: ${names})`;
    throw new FoundationError("invalid_options", text);
  }
  return bodyOf(start, args, parent).body as Spawnable<unknown>;
}
