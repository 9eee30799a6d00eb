import type { Home, Pid } from "../base/pid.ts";
import type { NamedProcess } from "./process-types.ts";

/** What one isolate's processes tell another's: the first element of each message. */
export const OP = Object.freeze({
  /** serial, generation, message. To a name: serial 0. */
  send: 1,
  cast: 2,
  /** A request; answered with {@link Reply}. */
  call: 3,
  /** serial, generation, from, reason. */
  exit: 4,
  /** The same, because the two were linked. */
  linkExit: 5,
  /** serial, generation, reason. */
  stop: 6,
  /** serial, generation, from. A request: whether the process is there. */
  link: 7,
  /** serial, generation, from. */
  unlink: 8,
  /** serial, generation, ref, home. A request: whether the process is there. */
  monitor: 9,
  /** serial, generation, key. */
  demonitor: 10,
  /** ref, generation, reason. */
  down: 11,
  /** generation. A request that is answered when the isolate is another one, else never. */
  attend: 12,
  /** A request to a name: its process. */
  whereis: 13,
  /** serial, generation. A request: what the process is doing. */
  info: 14,
  /** To the root isolate. blueprint, arguments, options. A request: the pid. */
  heavy: 15,
  /** To the root isolate. `slot.generation` of a heavy process. */
  kill: 16,
  /** To the root isolate. `slot.generation`. A request: why that heavy process ended. */
  endOf: 17,
  /** serial, generation, bytes: of a slab where the isolate is one of the same node. */
  counted: 18,
  /** generation, encoding, serials, bytes: one message for several processes. */
  many: 19,
  /** serial, generation, home, account, message: its handling gives credit to the account. */
  credited: 20,
  /** serial, generation, home, account, messages: that many wait for the process to grant them. */
  want: 21,
  /** account, generation, messages: that many more may be sent. */
  credit: 22,
});

/** A message between isolates, as an array. */
export type Op = readonly [number, ...unknown[]];

/** Answer to a call: `[true, value]`, or `[false, code, text, reason]`. */
export type Reply = readonly [true, unknown] | readonly [false, string, string, unknown];

/** The kernel's name of an isolate's processes. Slots are few and given out again. */
export function isolateName(slot: number): string {
  return `beam#${slot}`;
}

/** The kernel's name of the root isolate, which the workers of heavy processes belong to. */
export const ROOT_NAME = "beam@root";

/** The kernel's name of a registered process. */
export function processName(name: string): string {
  return `beam:${name}`;
}

/** The kernel's name of a factory. */
export function factoryName(name: string): string {
  return `beam!${name}`;
}

/** Where a pid or a name is reached. */
export function addressOf(to: Pid | NamedProcess): {
  readonly node: string;
  readonly name: string;
} {
  if ("serial" in to) return { node: to.home.node, name: isolateName(to.home.slot) };
  return { node: to.node, name: processName(to.name) };
}

/** A home as the key of a map. */
export function homeKey({ node, life, slot, generation }: Home): string {
  return `${node}/${life}/${slot}.${generation}`;
}
