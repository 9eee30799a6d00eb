import type { Probe, Reporter } from "./reporter.ts";
import type { RuntimeSource } from "./runtime-source.ts";

/** Counters of an isolate's processes: the word of the name, and what it counts. */
const COUNTERS = {
  spawned: ["spawned", "Processes that were started"],
  ended: ["ended", "Processes that have ended"],
  crashed: ["crashed", "Processes that ended by something their handler threw"],
  messagesDropped: ["messages_dropped", "Messages that a full mailbox lost by its policy"],
  toNobody: ["messages_to_nobody", "Messages to processes that were gone"],
  timersFailed: ["timers_failed", "Messages of timers that could not be sent"],
  lateReplies: ["late_replies", "Answers that came after their call had ended"],
} as const;

const GAUGES = {
  alive: ["alive", "Light processes of the isolate"],
  ready: ["ready", "Processes with a message that wait for their turn"],
  messagesHeld: ["messages_held", "Messages that wait in front of full mailboxes"],
  signalsWaiting: ["signals_waiting", "Signals that wait for room on their way out"],
} as const;

const WAITING = ["beam", "mailboxes", "messages"];
const LONGEST = ["beam", "mailboxes", "longest"];
const HEAVY = ["beam", "heavy", "alive"];
const ISOLATES = ["beam", "isolates", "attached"];
const BUSIEST = ["beam", "isolates", "longest_turn_seconds"];
const POOL = ["beam", "heavy_pool"];
const SECONDS_PER_MS = 0.001;

/** Processes of an isolate, and what waits for them; in the root also heavy ones and isolates. */
export class ProcessProbe implements Probe {
  readonly #reporter: Reporter;
  readonly #source: RuntimeSource;

  constructor(reporter: Reporter, source: RuntimeSource) {
    this.#reporter = reporter;
    this.#source = source;
    for (const [word, help] of [...Object.values(COUNTERS), ...Object.values(GAUGES)]) {
      reporter.describe(nameOf(word), help);
    }
    reporter.describe(WAITING, "Messages that wait in mailboxes");
    reporter.describe(LONGEST, "Messages that wait in the fullest mailbox");
    if (!source.isRoot) return;
    reporter.describe(HEAVY, "Heavy processes of the node");
    reporter.describe(ISOLATES, "Isolates that are attached to the node");
    reporter.describe(BUSIEST, "Longest time that an event loop has not polled by now");
  }

  sample(): void {
    const counts = this.#source.processes.counts();
    for (const [key, [word]] of entriesOf(COUNTERS))
      this.#reporter.total(nameOf(word), counts[key]);
    for (const [key, [word]] of entriesOf(GAUGES)) this.#reporter.gauge(nameOf(word), counts[key]);
    const mailboxes = this.#source.processes.mailboxes();
    this.#reporter.gauge(WAITING, mailboxes?.messages);
    this.#reporter.gauge(LONGEST, mailboxes?.longest);
    if (!this.#source.isRoot) return;
    this.#reporter.gauge(HEAVY, counts.heavy);
    const isolates = this.#source.node.isolates();
    this.#reporter.gauge(ISOLATES, isolates.length);
    const longestMs = Math.max(0, ...isolates.map(({ runningMs }) => runningMs));
    this.#reporter.gauge(BUSIEST, longestMs * SECONDS_PER_MS);
    const { heavyPool } = counts;
    if (heavyPool === undefined) return;
    this.#reporter.gauge([...POOL, "idle"], heavyPool.idle);
    this.#reporter.gauge([...POOL, "booting"], heavyPool.booting);
    this.#reporter.total([...POOL, "taken"], heavyPool.taken);
    this.#reporter.total([...POOL, "cold_starts"], heavyPool.coldStarts);
  }

  end(): void {}
}

function nameOf(word: string): readonly string[] {
  return ["beam", "processes", word];
}

function entriesOf<Key extends string, Value>(of: Readonly<Record<Key, Value>>): [Key, Value][] {
  return Object.entries(of) as [Key, Value][];
}
