import { type Home, isSameHome, type Pid } from "../base/pid.ts";
import type { ExitReason, MonitorRef } from "./signals.ts";

/** What a tie is kept under: the serial of a process of this isolate, the text of any other pid. */
export type TieKey = number | string;

/** The key of a pid in an isolate whose home is `here`. */
export function tieKey(pid: Pid, here: Home): TieKey {
  return isSameHome(pid.home, here) ? pid.serial : pid.toString();
}

/** Who is told when a process ends. */
export interface Watcher {
  down(pid: Pid, reason: ExitReason): void;
}

/** A process's links, monitors and names. Most have none, so it is made when it is needed. */
export class Ties {
  /** Linked processes; a link is in the ties of both ends. */
  readonly links = new Map<TieKey, Pid>();
  /** Monitors that this process holds. */
  readonly monitors = new Map<MonitorRef, Pid>();
  /** Monitors on this process: by their number here, or by home and number of another isolate. */
  readonly watchers = new Map<MonitorRef | string, Watcher>();
  /** Names that the process is registered under. */
  readonly names = new Set<string>();
}
