/** What a heavy worker of an ecosystem is started from, in its own isolate. */
import type { Pid } from "../../base/pid.ts";
import type { ProcessBody, Spawnable } from "../process-types.ts";
import { type Blueprint, bodyOf, importStartable } from "../startable.ts";
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
  const start = await importStartable(module, name);
  return bodyOf(start, args, parent).body as Spawnable<unknown>;
}
