import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Foundation, type FoundationNode, type TopologyOverlay } from "../../index.ts";
import { CommandError, describeFailure } from "../exit.ts";
import { awaitMember } from "./await-member.ts";
import { Change } from "./change.ts";
import { channelTotals } from "./channel-totals.ts";
import type { ClusterRun, ClusterTask, OverlayFigures } from "./cluster-run.ts";
import { Collector } from "./collector.ts";
import { Crew, isOrderedEnd } from "./crew.ts";
import { Dispatch, type Loss } from "./dispatch.ts";
import { Feeder } from "./feeder.ts";
import { KillPlan } from "./kill-plan.ts";
import {
  COORDINATOR_NAME,
  HANDLERS,
  INDEX_CHANNELS,
  isFileCrash,
  isResultMessage,
  overlaysOf,
} from "./messages.ts";
import { ControlPings } from "./pings.ts";
import type { FileRecord, SkippedFile } from "./record.ts";
import { RunFailure } from "./run-failure.ts";
import { WorkerLedger } from "./worker-ledger.ts";
import { type WorkerExit, WorkerPool } from "./worker-pool.ts";

/** Time for all processes to start and find each other. Unit: ms. */
const BOOT_TIMEOUT_MS = 30_000;
/** Time for workers to leave by themselves before they are killed. Unit: ms. */
const STOP_GRACE_MS = 5_000;
/** Workers started for others that crashed; each crash costs one. Unit: processes. */
const REPLACEMENTS_MAX = 32;
/** Wait for the `DOWN` of a process that ended; after that its end is enough. Unit: ms. */
const DOWN_GRACE_MS = 5_000;

/** Starts the worker process of this name; resolves when it has joined. */
type WorkerStart = (name: string) => Promise<void>;

/**
 * Starts a cluster of processes, indexes the corpus with it, and stops it again, also when it
 * fails or is interrupted. Rejects if the cluster cannot start or no worker is left.
 */
export async function indexWithCluster(task: ClusterTask): Promise<ClusterRun> {
  const cluster = `index-${randomUUID()}`;
  const secret = randomBytes(32).toString("hex");
  const node = await Foundation.start({
    name: COORDINATOR_NAME,
    cluster,
    listen: "127.0.0.1:0",
    seeds: [],
    secret,
    channels: INDEX_CHANNELS,
    ...overlaysOf(task.overlay),
  });
  const coordinator = new Coordinator(node, task);
  try {
    return await coordinator.run(cluster, secret);
  } finally {
    await coordinator.close();
  }
}

class Coordinator {
  readonly #node: FoundationNode;
  readonly #task: ClusterTask;
  readonly #dispatch: Dispatch;
  readonly #pool: WorkerPool;
  readonly #ledger = new WorkerLedger();
  readonly #change = new Change();
  readonly #failure = new RunFailure();
  readonly #killPlan: KillPlan | undefined;
  readonly #records: FileRecord[] = [];
  readonly #skipped: SkippedFile[] = [];
  readonly #feeder: Feeder;
  readonly #collector: Collector;
  /** Workers that joined and were not lost, whether their parser runs or is being restarted. */
  readonly #present = new Set<string>();
  #crew: Crew | undefined;
  #start: WorkerStart = () => Promise.reject(new Error("the run has not begun"));
  #workersStarted = 0;
  #replacements = 0;
  #replacementsStarting = 0;
  #startedAt = 0;
  #isClosing = false;
  #redispatchedFiles = 0;
  #duplicateResults = 0;
  #malformedResults = 0;

  constructor(node: FoundationNode, task: ClusterTask) {
    this.#node = node;
    this.#task = task;
    this.#dispatch = new Dispatch(task.corpus.files.map((file) => file.bytes));
    this.#killPlan = task.kill ? new KillPlan(this.#dispatch) : undefined;
    this.#pool = new WorkerPool((exit) => this.#onExit(exit));
    this.#feeder = this.#createFeeder();
    this.#collector = new Collector(node.beam.processes, (message, from) =>
      this.#onResult(message, from),
    );
    node.handle(HANDLERS.result, (message, { from }) => this.#collector.add(message, from));
    node.beam.processes.on("crashed", ({ label, reason }) => {
      this.#task.onEvent(`${label} crashed: ${describeFailure(reason)}`);
    });
  }

  async run(cluster: string, secret: string): Promise<ClusterRun> {
    const bootedAt = performance.now();
    const stop = (): void => this.#fail(this.#task.signal.reason);
    if (this.#task.signal.aborted) stop();
    this.#task.signal.addEventListener("abort", stop, { once: true });
    await this.#failure.orElse(this.#boot(cluster, secret));
    const bootMs = performance.now() - bootedAt;
    const workers = this.#ledger.shares().map(({ name, processId }) => `${name} pid ${processId}`);
    this.#task.onEvent(`workers joined in ${Math.round(bootMs)} ms: ${workers.join(", ")}`);

    const pings = new ControlPings(this.#node, () => this.#dispatch.workers);
    pings.start();
    this.#startedAt = performance.now();
    const crew = await this.#failure.orElse(this.#startCrew());
    await this.#failure.orElse(this.#feedAll(crew));
    const elapsedMs = performance.now() - this.#startedAt;
    const pingFigures = pings.stop();
    await this.#failure.orElse(
      this.#ledger.askAll(this.#node, [...this.#present], this.#failure.signal),
    );
    return {
      records: this.#records,
      skipped: this.#skipped,
      bootMs,
      elapsedMs,
      shares: this.#ledger.shares(),
      pings: pingFigures,
      channels: {
        control: channelTotals(this.#node, "control"),
        results: channelTotals(this.#node, "results"),
        bulk: channelTotals(this.#node, "bulk"),
      },
      kill: this.#killPlan?.outcome,
      overlay: this.#overlayFigures(),
      supervised: crew.figures(),
      redispatchedFiles: this.#redispatchedFiles,
      duplicateResults: this.#duplicateResults,
      malformedResults: this.#malformedResults,
    };
  }

  /** Stops the processes and leaves; safe at any moment. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#fail(new CommandError("run_closed", "the run is over"));
    // While the parsers can still answer to their end; a node that does not is killed right after.
    await Promise.race([this.#crew?.stop(), delay(STOP_GRACE_MS, undefined, { ref: false })]);
    await this.#pool.stop(STOP_GRACE_MS);
    await this.#node.leave({ drainMs: 0 });
  }

  #overlayFigures(): OverlayFigures | undefined {
    if (this.#task.overlay === undefined) return undefined;
    const { size, overlays } = this.#node.distributed.topology.current();
    const [{ strategy, neighbours }] = overlays as readonly [TopologyOverlay];
    return { strategy, neighbours: neighbours.length, members: size };
  }

  async #boot(cluster: string, secret: string): Promise<void> {
    const seed = this.#node.address;
    const { overlay } = this.#task;
    const assignment = { kind: "assignment", cluster, secret, seed, overlay } as const;
    this.#start = (name) => this.#pool.start({ ...assignment, name });
    const names = Array.from({ length: this.#task.workers }, () => this.#nextName());
    await Promise.all(names.map((name) => this.#start(name)));
    await this.#node.awaitReady({
      minimumMembers: this.#task.workers + 1,
      timeoutMs: BOOT_TIMEOUT_MS,
    });
    for (const name of names) this.#admit(name);
  }

  #nextName(): string {
    this.#workersStarted++;
    return `w${this.#workersStarted}`;
  }

  #admit(name: string): void {
    this.#ledger.add(name, this.#pool.processId(name));
    this.#present.add(name);
  }

  async #startCrew(): Promise<Crew> {
    this.#crew = await Crew.start({
      node: this.#node,
      collector: this.#collector,
      feed: (worker, ended) => this.#feeder.feed(worker, ended),
      onUp: (worker) => this.#dispatch.addWorker(worker),
      onDown: (worker, reason) => this.#onParserDown(worker, reason),
      onGivenUp: (worker) => this.#lose(worker, "its processes ended too often"),
      onCollapse: () => this.#fail(new CommandError("run_collapsed", "results are not collected")),
    });
    return this.#crew;
  }

  #createFeeder(): Feeder {
    return new Feeder({
      node: this.#node,
      corpus: this.#task.corpus,
      fileBytesMax: this.#task.fileBytesMax,
      dispatch: this.#dispatch,
      change: this.#change,
      onSent: (worker, fileId, bytes) => {
        this.#ledger.sent(worker, fileId, bytes);
        this.#killIfDue();
      },
      onSkipped: (skipped) => this.#skipped.push(skipped),
      onBroken: (worker, reason) => this.#lose(worker, reason),
      signal: this.#failure.signal,
    });
  }

  async #feedAll(crew: Crew): Promise<void> {
    for (const worker of this.#present) this.#supervise(crew, worker);
    while (!this.#dispatch.isSettled) await this.#change.next();
  }

  /** A worker without its processes is as good as lost. */
  #supervise(crew: Crew, worker: string): void {
    crew.add(worker).catch((failure: unknown) => this.#lose(worker, describeFailure(failure)));
  }

  #onResult(message: unknown, from: string): void {
    if (!isResultMessage(message)) {
      this.#malformedResults++;
      return;
    }
    const { fileId, record } = message;
    if (this.#task.corpus.files[fileId]?.path !== record.path) {
      this.#malformedResults++;
      return;
    }
    const completion = this.#dispatch.complete(fileId, from);
    this.#ledger.answered(from, fileId, completion === "fresh" ? record.bytes : undefined);
    if (completion === "duplicate") this.#duplicateResults++;
    if (completion === "fresh") {
      this.#records.push(record);
      this.#reportProgress();
    }
    this.#killIfDue();
    this.#change.notify();
  }

  #reportProgress(): void {
    this.#task.onProgress({
      doneFiles: this.#dispatch.doneFiles,
      totalFiles: this.#dispatch.doneFiles + this.#dispatch.unsettledFiles,
      doneBytes: this.#dispatch.doneBytes,
      totalBytes: this.#dispatch.totalBytes,
      elapsedMs: performance.now() - this.#startedAt,
      workers: this.#ledger.fileCounts(),
    });
  }

  #killIfDue(): void {
    const victim = this.#killPlan?.victim(this.#ledger.unansweredFiles());
    if (victim === undefined || this.#killPlan === undefined) return;
    const unfinishedFiles = this.#dispatch.heldFiles(victim);
    const percent = (this.#dispatch.doneShare * 100).toFixed(1);
    this.#task.onEvent(
      `SIGKILL to ${victim} at ${percent} % of the bytes; it holds ${unfinishedFiles} files`,
    );
    this.#killPlan.killed(victim, unfinishedFiles, performance.now());
    this.#pool.kill(victim);
  }

  #onExit(exit: WorkerExit): void {
    if (this.#isClosing) return;
    if (exit.isFault && this.#startedAt > 0) this.#replace(exit);
    this.#failIfAllLost(exit.cause);
    // The parser's `DOWN` is the runtime's word and comes first as a rule. The process' own end is
    // certain as well, so a run never waits for a word that does not come.
    const timer = setTimeout(() => this.#lose(exit.name, exit.cause), DOWN_GRACE_MS);
    timer.unref();
  }

  /** The parser of a worker ended; what it held goes to others. Its supervisor sees to the rest. */
  #onParserDown(worker: string, reason: unknown): void {
    if (reason === "noconnection") {
      this.#lose(worker, "noconnection");
      return;
    }
    const culprit = isFileCrash(reason) ? reason.fileId : undefined;
    const loss = this.#dispatch.lose(worker, !isOrderedEnd(reason), culprit);
    const path = culprit === undefined ? undefined : this.#task.corpus.files[culprit]?.path;
    const because = isFileCrash(reason) ? `${path}: ${reason.problem}` : describeFailure(reason);
    this.#redispatch(`the parser of ${worker}`, because, loss);
  }

  #redispatch(whose: string, reason: string, loss: Loss): void {
    const { redispatched, quarantined } = loss;
    this.#redispatchedFiles += redispatched.length;
    this.#task.onEvent(
      `${whose} is down (${reason}); ${redispatched.length} files go to other workers`,
    );
    if (quarantined !== undefined) this.#quarantine(quarantined);
    this.#change.notify();
  }

  #lose(worker: string, reason: string): void {
    if (this.#isClosing || !this.#present.delete(worker)) return;
    this.#crew?.drop(worker);
    const isOrdered = this.#killPlan?.isVictim(worker) ?? false;
    if (isOrdered) this.#killPlan?.noticed(performance.now());
    const loss = this.#dispatch.lose(worker, !isOrdered);
    this.#ledger.lost(worker, isOrdered ? "SIGKILL (--kill)" : reason);
    // Whoever is declared down gets no second life in this run: its late results are duplicates.
    this.#pool.kill(worker);
    this.#redispatch(worker, reason, loss);
    this.#failIfAllLost(reason);
  }

  /** A file that crashes the parser must not use up the workers: each such loss is made good. */
  #replace(exit: WorkerExit): void {
    if (this.#replacements >= REPLACEMENTS_MAX || this.#dispatch.isSettled) return;
    this.#replacements++;
    this.#replacementsStarting++;
    const name = this.#nextName();
    this.#task.onEvent(`${exit.name} crashed (${exit.cause}); ${name} replaces it`);
    this.#start(name)
      .then(() => awaitMember(this.#node, name, BOOT_TIMEOUT_MS))
      .then(() => {
        this.#admit(name);
        if (this.#crew !== undefined) this.#supervise(this.#crew, name);
      })
      // Without the replacement the run goes on with fewer workers, as long as there is one.
      .catch((failure: unknown) => {
        if (!this.#isClosing) this.#task.onEvent(describeFailure(failure));
      })
      .finally(() => {
        this.#replacementsStarting--;
        this.#failIfAllLost(exit.cause);
      });
  }

  #failIfAllLost(reason: string): void {
    if (this.#startedAt === 0 || this.#dispatch.isSettled) return;
    if (this.#dispatch.workers.length + this.#pool.size + this.#replacementsStarting > 0) return;
    const files = this.#dispatch.unsettledFiles;
    const message = `no worker is left and ${files} files are unfinished; last: ${reason}`;
    this.#fail(new CommandError("workers_lost", message));
  }

  #quarantine(fileId: number): void {
    const path = this.#task.corpus.files[fileId]?.path ?? "";
    const detail = "ended the process that parsed it, twice";
    this.#skipped.push({ path, reason: "crashes-parser", detail });
  }

  #fail(reason: unknown): void {
    this.#failure.set(reason);
    this.#change.notify();
  }
}
