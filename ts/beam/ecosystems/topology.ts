import { Pid } from "../../base/pid.ts";

/** How workers can be arranged. */
export const TOPOLOGIES = Object.freeze(["star", "tree", "ring", "mesh"] as const);

/**
 * Which workers are told of each other. `star`: none. `ring`: each of the one before and the one
 * behind it. `tree`: each of its parent and up to two children. `mesh`: each of all others.
 */
export type Topology = (typeof TOPOLOGIES)[number];

/** Children of a worker in a tree. */
const FANOUT = 2;

/** Whom a worker has beside it. */
export interface Beside {
  /** In a ring the one before it, in a tree its parent; empty in a mesh. */
  readonly upstream: readonly Pid[];
  /** In a ring the one behind it, in a tree its children; empty in a mesh. */
  readonly downstream: readonly Pid[];
  /** All of them, none twice. */
  readonly all: readonly Pid[];
}

/**
 * Tells a worker, as a message of `send`, whom it has beside it: after the ecosystem's start and
 * whenever that has changed, because one of them ended, was started again, added or removed.
 */
export interface Neighbours extends Beside {
  readonly kind: "NEIGHBOURS";
  readonly ecosystem: Pid;
  readonly topology: Topology;
}

/** Whether a message tells a worker whom it has beside it. */
export function isNeighbours(message: unknown): message is Neighbours {
  return (
    typeof message === "object" &&
    message !== null &&
    Reflect.get(message, "kind") === "NEIGHBOURS" &&
    Reflect.get(message, "ecosystem") instanceof Pid
  );
}

/** Whom the worker at `index` has beside it among those that are up. */
export function besideOf(topology: Topology, up: readonly Pid[], index: number): Beside {
  switch (topology) {
    case "star":
      return beside([], []);
    case "ring":
      return ring(up, index);
    case "tree":
      return tree(up, index);
    case "mesh":
      return { upstream: [], downstream: [], all: up.filter((_pid, other) => other !== index) };
    default:
      return topology satisfies never;
  }
}

function ring(up: readonly Pid[], index: number): Beside {
  if (up.length < 2) return beside([], []);
  const before = up[(index + up.length - 1) % up.length] as Pid;
  const behind = up[(index + 1) % up.length] as Pid;
  return beside([before], [behind]);
}

function tree(up: readonly Pid[], index: number): Beside {
  const first = index * FANOUT + 1;
  const parent = index === 0 ? [] : [up[Math.floor((index - 1) / FANOUT)] as Pid];
  return beside(parent, up.slice(first, first + FANOUT));
}

function beside(upstream: readonly Pid[], downstream: readonly Pid[]): Beside {
  const further = downstream.filter((pid) => !upstream.some((other) => other.equals(pid)));
  return { upstream, downstream, all: [...upstream, ...further] };
}
