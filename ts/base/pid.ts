import { FoundationError } from "./errors.ts";

/**
 * Where processes live: one isolate's part in one run of a node. All pids of an isolate share one.
 */
export interface Home {
  /** Node name. */
  readonly node: string;
  /** The node's run, printable. */
  readonly life: string;
  /** The isolate's place among those of its node. */
  readonly slot: number;
  /** How often the place was given out. */
  readonly generation: number;
}

/** Whether two homes are the same isolate of the same run. */
export function isSameHome(a: Home, b: Home): boolean {
  return (
    a === b ||
    (a.slot === b.slot && a.generation === b.generation && a.node === b.node && a.life === b.life)
  );
}

/**
 * Address of a process: printable, comparable, and the same after a journey in a message. It names
 * one process for ever: when that one has exited, or its node was started anew, nobody else gets
 * what is sent to it.
 */
export class Pid {
  /** Where the process lives. */
  readonly home: Home;
  /** Number within its isolate, given out once. */
  readonly serial: number;

  constructor(home: Home, serial: number) {
    this.home = home;
    this.serial = serial;
  }

  /** Name of its node. */
  get node(): string {
    return this.home.node;
  }

  /** Whether both name the same process. */
  equals(other: Pid): boolean {
    return this === other || (this.serial === other.serial && isSameHome(this.home, other.home));
  }

  /** `<node/life/slot.generation.serial>`, as {@link parsePid} reads it. */
  toString(): string {
    const { node, life, slot, generation } = this.home;
    return `<${node}/${life}/${slot}.${generation}.${this.serial}>`;
  }

  /** The same text, so that a pid is readable in JSON. */
  toJSON(): string {
    return this.toString();
  }

  /** What `console.log` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

const TEXT = /^<(.+)\/([^/]+)\/(\d{1,5})\.(\d{1,5})\.(\d{1,16})>$/s;

/**
 * The pid that {@link Pid.toString} has printed.
 *
 * @throws FoundationError `invalid_pid`
 */
export function parsePid(text: string): Pid {
  const [, node, life, slot, generation, serial] = TEXT.exec(text) ?? [];
  const number = Number(serial);
  if (node === undefined || life === undefined || !Number.isSafeInteger(number)) {
    throw new FoundationError("invalid_pid", `'${text.slice(0, 300)}' is no pid`);
  }
  return new Pid({ node, life, slot: Number(slot), generation: Number(generation) }, number);
}

/** Orders pids: by node, then run, isolate and age. For `sort`. */
export function comparePids(a: Pid, b: Pid): number {
  return (
    compare(a.home.node, b.home.node) ||
    compare(a.home.life, b.home.life) ||
    a.home.slot - b.home.slot ||
    a.home.generation - b.home.generation ||
    a.serial - b.serial
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
