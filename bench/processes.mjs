/**
 * Fresh processes for one turn and their certain end: every child belongs to a group that is
 * killed when the turn ends, fails or passes its deadline.
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { LINE_MARK } from "./child.mjs";

/** Characters of a dead child's standard error that are shown as its reason. */
const STDERR_CHARACTERS_MAX = 2000;

/** Every child of every group, so that the end of the runner is the end of all of them. */
const living = new Set();

process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
]) {
  process.on(signal, () => process.exit(code));
}

/** One measured process: its reported events, and the reason when it ends before them. */
export class Child {
  #process;
  #label;
  #stderr = "";
  /** Events that were reported before anyone asked for them, by name. */
  #reported = new Map();
  /** Who waits for an event, by name. */
  #waiting = new Map();
  /** Set once: why no further event can come. */
  #ended;
  #exit;

  /**
   * @param {string} label names the process in a failure
   * @param {string} command
   * @param {readonly string[]} commandArguments
   * @param {Record<string, string>} environment added to the runner's own
   */
  constructor(label, command, commandArguments, environment = {}) {
    this.#label = label;
    this.#process = spawn(command, commandArguments, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    living.add(this.#process);
    this.#process.stdin.on("error", () => {}); // A child that died has closed its end.
    this.#process.stderr.setEncoding("utf8").on("data", (text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS_MAX);
    });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#onLine(line));
    this.#exit = new Promise((resolve) => {
      this.#process.on("error", (error) => {
        living.delete(this.#process);
        this.#end(new Error(`${label}: ${error.message}`));
        resolve();
      });
      this.#process.on("close", (code, signal) => {
        living.delete(this.#process);
        const cause = this.#stderr.trim() === "" ? "" : `: ${this.#stderr.trim()}`;
        this.#end(new Error(`${label} ended early (${signal ?? `exit code ${code}`})${cause}`));
        resolve();
      });
    });
  }

  /**
   * The fields of the next event of this name; rejects when the process ends or fails before it.
   *
   * @param {string} name
   * @returns {Promise<Record<string, any>>}
   */
  event(name) {
    if (this.#reported.has(name)) {
      const fields = this.#reported.get(name);
      this.#reported.delete(name);
      return Promise.resolve(fields);
    }
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#waiting.set(name, { resolve, reject }));
  }

  /**
   * Tells the process something: one JSON line on its standard input.
   *
   * @param {Record<string, unknown>} fields
   */
  tell(fields) {
    this.#process.stdin.write(`${JSON.stringify(fields)}\n`);
  }

  /** Rejects when the process ends for any reason; never resolves. */
  failure() {
    return this.event("never reported");
  }

  /**
   * Sends it a signal.
   *
   * @param {NodeJS.Signals} name
   */
  signal(name) {
    this.#process.kill(name);
  }

  /** Memory of the process that is in the machine now, as Linux counts it. Unit: bytes. */
  resident() {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
  }

  /** Kills without mercy and waits until the process is gone. */
  async kill() {
    if (living.has(this.#process)) this.#process.kill("SIGKILL");
    await this.#exit;
  }

  #onLine(line) {
    if (!line.startsWith(LINE_MARK)) return;
    let fields;
    try {
      fields = JSON.parse(line.slice(LINE_MARK.length));
    } catch {
      this.#end(new Error(`${this.#label} reported a line that is not JSON: ${line}`));
      return;
    }
    if (fields.event === "failed") {
      this.#end(new Error(`${this.#label}: ${fields.reason}`));
      return;
    }
    const waiter = this.#waiting.get(fields.event);
    this.#waiting.delete(fields.event);
    if (waiter === undefined) this.#reported.set(fields.event, fields);
    else waiter.resolve(fields);
  }

  #end(error) {
    this.#ended ??= error;
    for (const waiter of this.#waiting.values()) waiter.reject(this.#ended);
    this.#waiting.clear();
  }
}

/**
 * @typedef {object} StartOptions
 * @property {Record<string, string>} [environment] added to the runner's own
 * @property {string} [cores] the only cores that its threads may run on, as `taskset` writes them
 * @property {readonly string[]} [within] words before the command, which say where it runs
 */

/** The processes of one turn. */
export class ChildGroup {
  #children = [];

  /**
   * Starts any program that speaks the line protocol.
   *
   * @param {string} label
   * @param {string} command
   * @param {readonly string[]} commandArguments
   * @param {StartOptions} [options]
   */
  start(label, command, commandArguments, { environment, cores, within = [] } = {}) {
    const placed = cores === undefined ? within : [...within, "taskset", "--cpu-list", cores];
    const [first, ...words] = [...placed, command, ...commandArguments];
    const child = new Child(label, first, words, environment);
    this.#children.push(child);
    return child;
  }

  /**
   * Starts a module of this folder under the same Node.js, without the runner's own options.
   *
   * @param {string} label
   * @param {URL} module
   * @param {object} parameters
   * @param {StartOptions} [options]
   */
  startNode(label, module, parameters, options) {
    const words = [fileURLToPath(module), JSON.stringify(parameters)];
    return this.start(label, process.execPath, words, options);
  }

  /** Kills all, in parallel, and waits for their end. */
  async end() {
    await Promise.all(this.#children.map((child) => child.kill()));
  }
}

/**
 * The outcome of a turn, or a failure once its time is over.
 *
 * @template T
 * @param {number} deadlineMs
 * @param {Promise<T>} outcome
 * @returns {Promise<T>}
 */
export async function withDeadline(deadlineMs, outcome) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([outcome, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs one turn with a group of its own; the group is gone when the promise settles.
 *
 * @template T
 * @param {number} deadlineMs after which the turn fails
 * @param {(group: ChildGroup) => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withChildren(deadlineMs, body) {
  const group = new ChildGroup();
  try {
    return await withDeadline(deadlineMs, body(group));
  } finally {
    await group.end();
  }
}
