import type { Home, Pid } from "../base/pid.ts";
import type { LightProcess } from "./process.ts";
import type { ExitReason, MonitorRef } from "./signals.ts";
import type { Watcher } from "./ties.ts";
import { homeKey } from "./wire.ts";

/** A monitor of this isolate on a process elsewhere. */
interface Monitored {
  readonly watcher: Watcher;
  readonly target: Pid;
}

/** The ties of this isolate's processes with those of one other isolate. */
class Neighbour {
  readonly home: Home;
  readonly monitors = new Map<MonitorRef, Monitored>();
  /** By the text of the pid over there. */
  readonly links = new Map<string, { readonly pid: Pid; readonly processes: Set<LightProcess> }>();
  /** Processes here that are watched from there, by the key that their ties have for it. */
  readonly watched = new Map<string, LightProcess>();

  constructor(home: Home) {
    this.home = home;
  }
}

/**
 * Who of this isolate is tied to whom elsewhere, by the other isolate: when that is gone, all of
 * its ties end at once. Whoever takes a tie out tells of its end, so it is told once.
 */
export class Neighbourhood {
  readonly #byHome = new Map<string, Neighbour>();
  readonly #onFirst: (home: Home) => void;
  readonly #monitors = new Map<MonitorRef, Neighbour>();

  /** `onFirst`: an isolate has ties that had none. */
  constructor(onFirst: (home: Home) => void) {
    this.#onFirst = onFirst;
  }

  #at(home: Home): Neighbour {
    const key = homeKey(home);
    const known = this.#byHome.get(key);
    if (known !== undefined) return known;
    const made = new Neighbour(home);
    this.#byHome.set(key, made);
    this.#onFirst(home);
    return made;
  }

  addMonitor(ref: MonitorRef, watcher: Watcher, target: Pid): void {
    const neighbour = this.#at(target.home);
    neighbour.monitors.set(ref, { watcher, target });
    this.#monitors.set(ref, neighbour);
  }

  takeMonitor(ref: MonitorRef): Monitored | undefined {
    const neighbour = this.#monitors.get(ref);
    const monitored = neighbour?.monitors.get(ref);
    neighbour?.monitors.delete(ref);
    this.#monitors.delete(ref);
    return monitored;
  }

  addLink(process: LightProcess, pid: Pid): void {
    const { links } = this.#at(pid.home);
    const text = pid.toString();
    const link = links.get(text) ?? { pid, processes: new Set() };
    links.set(text, link);
    link.processes.add(process);
  }

  takeLink(process: LightProcess, pid: Pid): boolean {
    const links = this.#byHome.get(homeKey(pid.home))?.links;
    const text = pid.toString();
    const link = links?.get(text);
    if (link?.processes.delete(process) !== true) return false;
    if (link.processes.size === 0) links?.delete(text);
    return true;
  }

  addWatched(home: Home, key: string, process: LightProcess): void {
    this.#at(home).watched.set(key, process);
  }

  removeWatched(home: Home, key: string): void {
    this.#byHome.get(homeKey(home))?.watched.delete(key);
  }

  /** An isolate is gone: its processes are, for all that are tied to them here. */
  forget(home: Home, reason: ExitReason): void {
    const key = homeKey(home);
    const neighbour = this.#byHome.get(key);
    if (neighbour === undefined) return;
    this.#byHome.delete(key);
    for (const [watchKey, process] of neighbour.watched) {
      process.knownTies?.watchers.delete(watchKey);
    }
    for (const [ref, { watcher, target }] of neighbour.monitors) {
      this.#monitors.delete(ref);
      watcher.down(target, reason);
    }
    for (const [text, { pid, processes }] of neighbour.links) {
      for (const process of processes) {
        if (process.knownTies?.links.delete(text) === true) process.onExit(pid, reason, true);
      }
    }
  }
}
