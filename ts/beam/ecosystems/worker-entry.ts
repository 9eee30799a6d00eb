/** What a heavy worker of an ecosystem is started from, in its own isolate. */
import type { Pid } from "../../base/pid.ts";
import type { ProcessBody, Spawnable } from "../process-types.ts";
import { type Blueprint, bodyOf, importStartable } from "../startable.ts";
import { PayloadInbox } from "./payload-inbox.ts";
import { WorkerBody, type WorkerHooks } from "./worker-body.ts";
import { NO_TRAITS, type WorkerTraits } from "./worker-traits.ts";

/** Takes a module, the name of an export, its arguments, and {@link WorkerTraits}. */
export const worker: Blueprint = Object.freeze({
  label: "EcosystemWorker",
  isSupervisor: false,
  make: (args: readonly unknown[], parent: Pid | undefined): ProcessBody<never> => {
    const [module, name, given, traits] = args as [
      string,
      string,
      readonly unknown[],
      WorkerTraits | undefined,
    ];
    const make = async (): Promise<Spawnable<unknown>> => bodyIn(module, name, given, parent);
    return new WorkerBody(make, hooksOf(traits ?? NO_TRAITS)) as ProcessBody<never>;
  },
});

function hooksOf({ isCollecting, channel }: WorkerTraits): WorkerHooks {
  const collect = Reflect.get(globalThis, "gc") as (() => void) | undefined;
  const inbox = channel === undefined ? undefined : new PayloadInbox(channel);
  return {
    ...(inbox !== undefined && {
      restored: async (message, apart) => inbox.restored(message, apart),
    }),
    ...(isCollecting &&
      collect !== undefined && {
        // Behind the answer: nobody waits for the collection but what comes next.
        afterWork: () => void setImmediate(() => collect()),
      }),
  };
}

async function bodyIn(
  module: string,
  name: string,
  args: readonly unknown[],
  parent: Pid | undefined,
): Promise<Spawnable<unknown>> {
  const start = await importStartable(module, name);
  return bodyOf(start, args, parent).body as Spawnable<unknown>;
}
