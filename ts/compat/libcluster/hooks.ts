import { atomText, listOf } from "../kinds.ts";
import { type Settings, shown } from "../settings.ts";
import type { LibclusterHooks } from "./migration.ts";

interface Hook {
  /** libcluster's key. */
  readonly name: string;
  readonly to: keyof LibclusterHooks;
  /** What to write in its place. */
  readonly callback: string;
  /** What libcluster does by itself: module and function. */
  readonly usual: readonly (readonly [string, string])[];
}

const HOOKS: readonly Hook[] = [
  {
    name: "connect",
    to: "connect",
    callback: "connect: (node) => true, false or 'ignored'",
    usual: [
      ["net_kernel", "connect_node"],
      ["net_kernel", "connect"],
      ["Node", "connect"],
    ],
  },
  {
    name: "disconnect",
    to: "disconnect",
    callback: "disconnect: (node) => true, false or 'ignored'",
    usual: [
      ["erlang", "disconnect_node"],
      ["net_kernel", "disconnect"],
      ["Node", "disconnect"],
    ],
  },
  {
    name: "list_nodes",
    to: "listNodes",
    callback: "listNodes: () => [names]",
    usual: [
      ["erlang", "nodes"],
      ["Node", "list"],
    ],
  },
];

const CHILD_SPEC = "sources are looked after by the node: there is no process to describe";

function isUsual({ usual }: Hook, given: unknown): boolean {
  const [module, name] = listOf(given) ?? [];
  return usual.some(([one, other]) => atomText(module) === one && atomText(name) === other);
}

/** Functions of a topology: those of JavaScript are taken over, others told of. */
export function readHooks(settings: Settings): LibclusterHooks {
  const hooks: Record<string, unknown> = {};
  for (const hook of HOOKS) {
    const given = settings.raw(hook.name);
    if (given === undefined) continue;
    if (typeof given === "function") {
      hooks[hook.to] = given;
      settings.mapped(hook.name, hook.to);
    } else if (isUsual(hook, given)) {
      settings.ignored(hook.name, "it is what a node does by itself");
    } else {
      const text = `${shown(given)} is a function of Erlang: write ${hook.callback} in JavaScript`;
      settings.unsupported(hook.name, text);
    }
  }
  settings.ignored("child_spec", CHILD_SPEC);
  return hooks as LibclusterHooks;
}
