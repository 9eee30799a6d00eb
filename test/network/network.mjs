/**
 * A network whose faults a seed decides: one namespace for each node, all joined by the switch in
 * `switch/`, which delays, loses, doubles, reorders and cuts by direction. Linux and root only.
 */

import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL("switch/", import.meta.url));
const MARK = "fndnet";
/** What Ethernet carries. Unit: bytes. */
const MTU = 1500;
const NODES_MAX = 200;
/** Namespaces to prepare at once: each step is a process. */
const AT_ONCE = 4;

/**
 * What happens to frames from one node to another; what is left out does not happen.
 *
 * @typedef {object} Rule
 * @property {boolean} [cut] nothing passes
 * @property {number} [loss] probability that a frame is dropped
 * @property {number} [duplicate] probability that it arrives twice
 * @property {number} [reorder] probability that it is held, so that others overtake it
 * @property {number} [holdMs] how long such a frame is held. Default: 5
 * @property {number} [delayMs] how long every frame takes
 * @property {number} [jitterMs] how far that strays to either side; order is kept
 * @property {number} [rate] bytes a second
 * @property {number} [backlog] bytes that wait for the rate. Default: 1 MiB
 *
 * @typedef {object} Direction what became of the frames of one direction
 * @property {number} from
 * @property {number} to
 * @property {number} frames that came
 * @property {number} bytes of them, with their Ethernet headers
 * @property {number} cut
 * @property {number} lost
 * @property {number} duplicated
 * @property {number} reordered
 * @property {number} delayed
 * @property {number} overflowed dropped because too many waited
 * @property {number} sent doubles included
 *
 * @typedef {object} Census
 * @property {number} refused frames that an interface did not take
 * @property {number} missed frames that came faster than the switch took them
 * @property {readonly Direction[]} directions
 */

/**
 * Why there can be no such network here; undefined where there can be.
 *
 * @returns {string | undefined}
 */
export function networkAbsence() {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const missing = ["ip", "ethtool", "cargo"].filter(
    (program) => !folders.some((folder) => existsSync(join(folder, program))),
  );
  if (missing.length === 0) return undefined;
  return `missing for network namespaces: ${missing.join(", ")} (iproute2, ethtool, Rust)`;
}

/** When a process began, so that a later one of its number is told from it; nothing if it ended. */
function beginningOf(pid) {
  try {
    // The name of the program, in brackets, may hold spaces.
    const [, fields] = /^\d+ \(.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return fields?.split(" ")[19];
  } catch {
    return undefined;
  }
}

let networks = 0;

/** Words that a namespace's own standard input takes as commands of `ip`. */
async function ip(words, commands) {
  const child = execFile("ip", [...words, "-batch", "-"]);
  let said = "";
  child.stderr?.on("data", (text) => {
    said += text;
  });
  child.stdin?.end(commands.map((command) => `${command}\n`).join(""));
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`ip ${words.join(" ")}: ${said.trim()}`);
}

async function inGroups(items, work) {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
  }
}

async function removeNamespace(name) {
  // Whoever lives in there would keep it, without a name that anybody could find it by.
  const { stdout } = await run("ip", ["netns", "pids", name]).catch(() => ({ stdout: "" }));
  for (const pid of stdout.split(/\s+/).filter(Boolean)) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // Gone by itself.
    }
  }
  await run("ip", ["netns", "delete", name]).catch(() => {});
}

/** Removes what runs that were killed have left behind. */
async function removeOrphans() {
  const { stdout } = await run("ip", ["netns", "list"]);
  const orphans = stdout
    .split("\n")
    .map((line) => line.split(" ")[0])
    .filter((name) => {
      const [, pid, beginning] = new RegExp(`^${MARK}-(\\d+)-(\\d+)-`).exec(name) ?? [];
      return pid !== undefined && beginningOf(pid) !== beginning;
    });
  await inGroups(orphans, removeNamespace);
}

/** Builds the switch where it is not built, and answers where it is. */
async function buildSwitch() {
  const shared = process.env["CARGO_TARGET_DIR"];
  const target = shared === undefined ? join(FOLDER, "target") : join(shared, "switch");
  const words = ["build", "--release", "--locked", "--quiet", "--target-dir", target];
  const manifest = ["--manifest-path", join(FOLDER, "Cargo.toml")];
  await run("cargo", [...words, ...manifest]);
  return join(target, "release/foundation-switch");
}

const addressOf = (index) => `10.77.0.${index + 1}`;
const hardwareOf = (index) => `02:00:00:00:00:${(index + 1).toString(16).padStart(2, "0")}`;

const WORDS = Object.freeze({
  loss: "loss",
  duplicate: "duplicate",
  reorder: "reorder",
  rate: "rate",
  backlog: "backlog",
});
const DURATIONS = Object.freeze({ holdMs: "hold", delayMs: "delay", jitterMs: "jitter" });

/** A rule as the switch reads it. */
function wordsOf(rule) {
  return Object.entries(rule).flatMap(([name, value]) => {
    if (name === "cut") return value ? ["cut"] : [];
    if (DURATIONS[name] !== undefined) return [`${DURATIONS[name]}=${Math.round(value * 1000)}`];
    if (WORDS[name] !== undefined) return [`${WORDS[name]}=${value}`];
    throw new TypeError(`no rule is called '${name}'`);
  });
}

/** Namespaces and the switch between them, from {@link FaultyNetwork.open} to `close`. */
export class FaultyNetwork {
  /** Of all decisions of the switch. */
  seed;
  #names;
  #switchName;
  #mtu;
  #process;
  #answers;
  /** Commands are answered in turn. */
  #turn = Promise.resolve();
  #leftOver = "";

  /** @param {{ nodes: number, seed: number, mtu: number }} options */
  constructor({ nodes, seed, mtu }) {
    const place = `${MARK}-${process.pid}-${beginningOf(process.pid)}-${networks++}`;
    this.seed = seed;
    this.#mtu = mtu;
    this.#names = Array.from({ length: nodes }, (_, index) => `${place}-${index}`);
    this.#switchName = `${place}-switch`;
  }

  /**
   * Makes a network of so many nodes, on which all is well.
   *
   * @param {{ nodes: number, seed?: number, mtu?: number }} options `seed`: a random one without;
   *   `mtu`: 1500 bytes without
   * @returns {Promise<FaultyNetwork>}
   */
  static async open({ nodes, seed = Math.floor(Math.random() * 2 ** 32), mtu = MTU }) {
    const absence = networkAbsence();
    if (absence !== undefined) throw new Error(absence);
    if (!(nodes >= 2 && nodes <= NODES_MAX)) throw new RangeError(`2 to ${NODES_MAX} nodes`);
    const [program] = await Promise.all([buildSwitch(), removeOrphans()]);
    const network = new FaultyNetwork({ nodes, seed, mtu });
    try {
      await network.#build(program);
      return network;
    } catch (thrown) {
      await network.close();
      throw thrown;
    }
  }

  async #build(program) {
    const all = [this.#switchName, ...this.#names];
    await ip(
      [],
      all.map((name) => `netns add ${name}`),
    );
    const mtu = `mtu ${this.#mtu}`;
    await ip(
      ["-n", this.#switchName],
      this.#names.flatMap((name, index) => [
        `link add p${index} ${mtu} type veth peer name eth0 address ${hardwareOf(index)} ` +
          `${mtu} netns ${name}`,
        `link set p${index} up`,
      ]),
    );
    await inGroups(
      all.map((name, index) => ({ name, index: index - 1 })),
      async ({ name, index }) => this.#prepare(name, index),
    );
    await this.#startSwitch(program);
  }

  /** One namespace: its address, its neighbours, and an interface that sends what it is given. */
  async #prepare(name, index) {
    // Packets that are put together or checked later than they are sent would reach the switch
    // larger than any frame, or with a sum that is none.
    const plain = "tx off rx off gso off tso off gro off";
    const quiet = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
    const interfaces = index < 0 ? this.#names.map((_, port) => `p${port}`) : ["eth0"];
    const plainly = interfaces.map((each) => `ethtool -K ${each} ${plain} >/dev/null`);
    const script = [...plainly, `[ ! -e /proc/sys/net/ipv6 ] || ${quiet}`].join(" && ");
    await run("ip", ["netns", "exec", name, "sh", "-c", script]);
    if (index < 0) return;
    // Who is where is known, so that faults meet what nodes say and not the kernel's questions.
    const neighbours = this.#names.flatMap((_, other) =>
      other === index
        ? []
        : [`neigh add ${addressOf(other)} lladdr ${hardwareOf(other)} dev eth0 nud permanent`],
    );
    const own = ["link set lo up", `addr add ${addressOf(index)}/24 dev eth0`, "link set eth0 up"];
    await ip(["-n", name], [...own, ...neighbours]);
  }

  async #startSwitch(program) {
    const ports = this.#names.map((_, index) => `p${index}`);
    const words = ["netns", "exec", this.#switchName, program, String(this.seed), ...ports];
    const child = spawn("ip", words, { stdio: ["pipe", "pipe", "pipe"] });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#leftOver = (this.#leftOver + text).slice(-2000);
    });
    child.stdin.on("error", () => {}); // It has ended; whoever asks next hears of it.
    this.#process = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await this.#answer();
  }

  async #answer() {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`the switch has ended: ${this.#leftOver.trim()}`);
    const said = JSON.parse(value);
    if (said.event === "refused") throw new Error(`the switch refused: ${said.reason}`);
    return said;
  }

  /** Tells the switch something and resolves with its answer. */
  async #tell(line) {
    const answered = this.#turn.then(() => {
      this.#process.stdin.write(`${line}\n`);
      return this.#answer();
    });
    this.#turn = answered.then(
      () => {},
      () => {},
    );
    return answered;
  }

  /**
   * The IP address of a node.
   *
   * @param {number} index
   * @returns {string}
   */
  addressOf(index) {
    if (this.#names[index] === undefined) throw new RangeError(`no node ${index}`);
    return addressOf(index);
  }

  /**
   * The words before a command that shall run where a node is; its process has the same number and
   * gets the same signals as without.
   *
   * @param {number} index
   * @returns {string[]}
   */
  within(index) {
    const name = this.#names[index];
    if (name === undefined) throw new RangeError(`no node ${index}`);
    return ["ip", "netns", "exec", name];
  }

  /**
   * What happens from now on from each of some nodes to each of others, in this direction.
   *
   * @param {readonly number[]} from
   * @param {readonly number[]} to
   * @param {Rule} rule
   * @returns {Promise<void>}
   */
  async direct(from, to, rule) {
    const words = wordsOf(rule).join(" ");
    for (const one of from) {
      for (const other of to) {
        if (one !== other) await this.#tell(`rule ${one} ${other} ${words}`);
      }
    }
  }

  /**
   * The same in both directions.
   *
   * @param {readonly number[]} some
   * @param {readonly number[]} others
   * @param {Rule} rule
   * @returns {Promise<void>}
   */
  async between(some, others, rule) {
    await this.direct(some, others, rule);
    await this.direct(others, some, rule);
  }

  /**
   * The same everywhere.
   *
   * @param {Rule} rule
   * @returns {Promise<void>}
   */
  async everywhere(rule) {
    await this.#tell(`rule * * ${wordsOf(rule).join(" ")}`);
  }

  /**
   * All is well again, everywhere.
   *
   * @returns {Promise<void>}
   */
  async heal() {
    await this.everywhere({});
  }

  /**
   * What became of all frames so far.
   *
   * @returns {Promise<Census>}
   */
  async census() {
    return this.#tell("census");
  }

  /**
   * Ends the switch and removes the namespaces, with all that still runs there.
   *
   * @returns {Promise<void>}
   */
  async close() {
    const child = this.#process;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin.end();
      await ended;
    }
    await inGroups([...this.#names, this.#switchName], removeNamespace);
  }
}
