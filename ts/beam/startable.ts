import { FoundationError } from "../base/errors.ts";
import type { Pid } from "../base/pid.ts";
import { GenServerBody, type GenServerClass, isGenServerClass } from "./gen-server.ts";
import { type HeavyBlueprint, isHeavy } from "./heavy.ts";
import type { ProcessBody, ProcessHandler, Spawnable, SpawnOptions } from "./process-types.ts";
import { isStateMachineClass, StateMachine, type StateMachineClass } from "./state-machine.ts";

/** Something that makes a fresh process body for every start. */
export interface Blueprint {
  /** What it is, for reports. */
  readonly label: string;
  /**
   * `parent`: the process that it will be linked to, if any. `isTemporary`: whether that is a
   * supervisor which does not start it again.
   */
  make(args: readonly unknown[], parent: Pid | undefined, isTemporary: boolean): ProcessBody<never>;
  /** Whether an orderly end may take as long as it needs, as a supervisor's. */
  readonly isSupervisor: boolean;
}

/**
 * What runs in the isolate that starts it: a class of servers or state machines, a handler, a body,
 * a blueprint.
 */
export type LightStartable =
  | GenServerClass
  | StateMachineClass
  | ProcessHandler<never>
  | ProcessBody<never>
  | Blueprint;

/** What can be started, again and again: here, or with `heavy` in an isolate of its own. */
export type Startable = LightStartable | HeavyBlueprint;

/** How a process is started that is waited for. */
export interface StartOptions extends SpawnOptions {
  /** Arguments of a server's `init`. Default: none. */
  readonly args?: readonly unknown[];
}

/** Whether it is a blueprint. */
export function isBlueprint(value: unknown): value is Blueprint {
  return typeof value === "object" && value !== null && "make" in value;
}

/**
 * The body of one start, and what it is.
 *
 * @throws FoundationError `invalid_options` for what cannot be started
 */
export function bodyOf(
  start: LightStartable,
  args: readonly unknown[],
  parent: Pid | undefined,
  isTemporary = false,
): { readonly body: Spawnable<never>; readonly label: string } {
  if (isGenServerClass(start)) {
    const body = new GenServerBody(new start(), args, parent) as ProcessBody<never>;
    return { body, label: start.name };
  }
  if (isStateMachineClass(start)) return bodyOf(StateMachine.blueprint(start), args, parent);
  if (!isStartable(start)) {
    const text =
      "`start` must be a class of servers or state machines, a handler, a body or heavy()";
    throw new FoundationError("invalid_options", text);
  }
  if (args.length > 0 && (!isBlueprint(start) || start.isSupervisor)) {
    const text = "`args` are for servers: handlers and supervisors take none";
    throw new FoundationError("invalid_options", text);
  }
  if (isBlueprint(start))
    return { body: start.make(args, parent, isTemporary), label: start.label };
  if (typeof start === "function")
    return { body: start as ProcessHandler<never>, label: start.name };
  return { body: start, label: start.constructor.name };
}

/** Whether something can be started where it is. */
export function isStartable(value: unknown): value is LightStartable {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null || isHeavy(value)) return false;
  return "make" in value || typeof Reflect.get(value, "handle") === "function";
}

/**
 * What can be started of a module's exports.
 *
 * @throws FoundationError `invalid_options` where there is nothing such by that name; what the
 *   module throws as it loads
 */
export async function importStartable(module: string, name: string): Promise<LightStartable> {
  const loaded = (await import(module)) as Record<string, unknown>;
  const start = loaded[name];
  if (isStartable(start)) return start;
  const names = Object.keys(loaded).join(", ");
  const text = `'${module}' exports nothing that can be started as '${name}' (it has: ${names})`;
  throw new FoundationError("invalid_options", text);
}
