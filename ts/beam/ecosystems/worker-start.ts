import { FoundationError } from "../../base/errors.ts";
import { type HeavyBlueprint, isHeavy } from "../heavy.ts";
import type { ProcessBody } from "../process-types.ts";
import { type Blueprint, bodyOf, type LightStartable, type Startable } from "../startable.ts";
import { WorkerBody } from "./worker-body.ts";

/** A worker that is started elsewhere; `isolatedWorker`: only in an isolate of its own. */
export type WorkerRole = "worker" | "isolatedWorker";

/** What the isolate of a heavy worker starts from. */
const ENTRY = new URL("./worker-entry.js", import.meta.url).href;

/** What a worker is started from, and with what. */
export interface WorkerStart {
  readonly start: Blueprint | HeavyBlueprint;
  readonly args: readonly unknown[];
}

/**
 * What was made by a factory, as a worker.
 *
 * @throws FoundationError `invalid_options` where it has no isolate of its own but should
 */
export function asWorker(made: Startable, role: WorkerRole): WorkerStart {
  if (isHeavy(made)) return heavyWorker(made, []);
  if (role === "worker") return { start: lightWorker(made), args: [] };
  const text = "`isolatedHeaps` needs a factory that answers with `heavy(...)`";
  throw new FoundationError("invalid_options", text);
}

/** A heavy process as a worker; `WorkerTraits` may follow its arguments. */
export function heavyWorker(made: HeavyBlueprint, args: readonly unknown[]): WorkerStart {
  const start = Object.freeze({ ...made, module: ENTRY, export: "worker" });
  return { start, args: [made.module, made.export, args] };
}

/** What runs in the isolate that starts it as a worker. */
export function lightWorker(light: LightStartable): Blueprint {
  const label = (typeof light === "function" && light.name) || "EcosystemWorker";
  return Object.freeze({
    label,
    isSupervisor: false,
    make: (args, parent) => {
      const body = new WorkerBody(() => bodyOf(light, args, parent).body as ProcessBody<unknown>);
      return body as ProcessBody<never>;
    },
  } satisfies Blueprint);
}
