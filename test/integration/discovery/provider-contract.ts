import { afterAll, afterEach, describe, expect, test } from "vitest";
import { SYSTEM_CLOCK } from "../../../ts/base/clock.ts";
import type {
  CandidateSet,
  DiscoveringNode,
  DiscoveryProvider,
  ProviderContext,
} from "../../../ts/distributed/discovery/provider.ts";
import { within } from "../local-nodes.ts";

/** A real source of candidates, as the contract of all providers asks of it. */
export interface ProviderScene {
  /** Whether the sets of this source say that they are all. */
  readonly isComplete: boolean;
  /** A provider that asks this source, often enough for a test. */
  provider(): DiscoveryProvider;
  /** Has the source tell of these addresses and of no others. */
  publish(addresses: readonly string[]): Promise<void>;
  /** Ends the source. */
  close(): Promise<void>;
}

/** What some sources can be made to do besides; each brings a test of its own. */
export interface SourceFaults {
  /** Has the source fail whoever asks it, and ends that. */
  readonly failing?: { begin(): Promise<void>; end(): Promise<void> };
  /** Has the source take requests and answer none, and ends that. */
  readonly hanging?: { begin(): Promise<void>; end(): Promise<void> };
  /** Adds entries that no node can be reached by, odd bytes among them. */
  readonly poison?: () => Promise<void>;
  /** Names of the nodes that announced themselves to the source. */
  readonly announced?: () => Promise<readonly string[]>;
}

/** The node in whose name a test asks. */
export const SELF: DiscoveringNode = {
  name: "self@127.0.0.1",
  cluster: "contract",
  address: "127.0.0.1:7000",
  host: "127.0.0.1",
  port: 7000,
};

/** One run of a provider, and what it gave so far. */
export class ProviderRun {
  readonly sets: CandidateSet[] = [];
  readonly notes = new Map<string, number>();
  readonly #abort = new AbortController();
  readonly #ended: Promise<unknown>;
  #wake: () => void = () => {};
  failure: unknown;

  constructor(provider: DiscoveryProvider, context: Partial<ProviderContext> = {}) {
    this.#ended = this.#run(provider, {
      self: SELF,
      signal: this.#abort.signal,
      clock: SYSTEM_CLOCK,
      random: () => 0.5,
      note: (reason, count = 1) => {
        this.notes.set(reason, (this.notes.get(reason) ?? 0) + count);
      },
      ...context,
    });
  }

  async #run(provider: DiscoveryProvider, context: ProviderContext): Promise<void> {
    try {
      for await (const set of provider.candidates(context)) {
        this.sets.push(set);
        this.#wake();
      }
    } catch (thrown) {
      this.failure = thrown;
    }
    this.#wake();
  }

  /** Resolves with what the run has told of, once that is so; complete sets replace each other. */
  async until(matches: (addresses: readonly string[]) => boolean): Promise<readonly string[]> {
    const wait = async (): Promise<readonly string[]> => {
      while (!matches(this.addresses())) {
        if (this.failure !== undefined) throw this.failure;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      return this.addresses();
    };
    return within(wait(), `it told of ${this.addresses().join(", ")}`, 20_000);
  }

  /** What the run has told of so far, sorted. */
  addresses(): readonly string[] {
    const all = new Set<string>();
    for (const { candidates, isComplete } of this.sets) {
      if (isComplete) all.clear();
      for (const { address } of candidates) all.add(address);
    }
    return [...all].sort();
  }

  /** Resolves when the provider has given up by itself. */
  async ended(): Promise<void> {
    await within(this.#ended, "the end of the provider", 20_000);
  }

  /** Wants no more. */
  async abort(): Promise<void> {
    this.#abort.abort();
    await within(this.#ended, "the end of the provider after its abort");
  }
}

const FIRST = ["10.1.0.1:7000", "10.1.0.2:7000"];
const SECOND = ["10.1.0.2:7000", "10.1.0.3:7000"];

function has(wanted: readonly string[]): (addresses: readonly string[]) => boolean {
  return (addresses) => wanted.every((one) => addresses.includes(one));
}

function isExactly(wanted: readonly string[]): (addresses: readonly string[]) => boolean {
  return (addresses) => addresses.length === wanted.length && has(wanted)(addresses);
}

/** The runs of one file of tests. */
class Runs {
  readonly #runs: ProviderRun[] = [];
  readonly #providers: DiscoveryProvider[] = [];

  start(provider: DiscoveryProvider): ProviderRun {
    const run = new ProviderRun(provider);
    this.#providers.push(provider);
    this.#runs.push(run);
    return run;
  }

  async close(): Promise<void> {
    await Promise.all(this.#runs.splice(0).map(async (run) => run.abort()));
    await Promise.all(this.#providers.splice(0).map(async (provider) => provider.close?.()));
  }
}

/**
 * What every provider keeps, shown with its real source. The `scene` is opened by the caller, who
 * closes it by `afterAll` of this suite.
 */
export function describeProvider(kind: string, scene: ProviderScene, faults: SourceFaults): void {
  describe(`the contract of all providers: ${kind}`, () => {
    const runs = new Runs();
    afterEach(async () => runs.close());
    afterAll(async () => scene.close());
    describeAnswers(scene, runs);
    describeFaults(scene, faults, runs);
  });
}

function describeAnswers(scene: ProviderScene, runs: Runs): void {
  test("it names itself without secrets, and tells of what is there", async () => {
    await scene.publish(FIRST);
    const provider = scene.provider();
    expect([provider.kind, provider.label].every((text) => text.length > 0)).toBe(true);
    expect(provider.label).not.toMatch(/secret|token/i);
    const run = runs.start(provider);
    expect(await run.until(has(FIRST))).toEqual(expect.arrayContaining(FIRST));
    expect(run.sets.every((set) => set.isComplete === scene.isComplete)).toBe(true);
  });

  test("it follows who comes and goes", async () => {
    const isTold = (wanted: readonly string[]) =>
      scene.isComplete ? isExactly(wanted) : has(wanted);
    await scene.publish(FIRST);
    const run = runs.start(scene.provider());
    expect(await run.until(isTold(FIRST))).toEqual(expect.arrayContaining(FIRST));
    await scene.publish(SECOND);
    expect(await run.until(isTold(SECOND))).toEqual(expect.arrayContaining(SECOND));
  });

  test("an abort ends it at once, and a second run begins anew", async () => {
    await scene.publish(FIRST);
    const first = runs.start(scene.provider());
    await first.until(has(FIRST));
    await first.abort();
    expect(first.failure).toBeUndefined();
    const second = runs.start(scene.provider());
    expect(await second.until(has(FIRST))).toEqual(expect.arrayContaining(FIRST));
  });
}

function describeFaults(scene: ProviderScene, faults: SourceFaults, runs: Runs): void {
  const { failing, hanging, poison, announced } = faults;

  test.runIf(failing)(
    "a source that fails is an error, no empty answer, and is heard again",
    async () => {
      await scene.publish(FIRST);
      const run = runs.start(scene.provider());
      await run.until(has(FIRST));
      await failing?.begin();
      await run.ended();
      expect(run.failure).toMatchObject({ code: "discovery_failed" });
      expect(run.addresses()).toEqual(expect.arrayContaining(FIRST));
      await failing?.end();
      const again = runs.start(scene.provider());
      expect(await again.until(has(FIRST))).toEqual(expect.arrayContaining(FIRST));
    },
  );

  test.runIf(hanging)(
    "one that does not answer is given up, an abort waits for no answer",
    async () => {
      await scene.publish(FIRST);
      await hanging?.begin();
      await runs.start(scene.provider()).abort();
      const run = runs.start(scene.provider());
      await run.ended();
      await hanging?.end();
      expect(run.failure).toMatchObject({ code: "discovery_failed" });
    },
  );

  test.runIf(poison)("what no node can be reached by is left out and counted", async () => {
    await scene.publish(FIRST);
    await poison?.();
    const run = runs.start(scene.provider());
    await run.until((addresses) => has(FIRST)(addresses) && run.notes.size > 0);
    expect([...run.notes.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    for (const { address } of run.sets.flatMap(({ candidates }) => candidates)) {
      expect(address).toMatch(/^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\]):\d{1,5}$/i);
    }
  });

  test.runIf(announced)("who announced itself is taken back by close", async () => {
    await scene.publish(FIRST);
    const provider = scene.provider();
    expect(provider.announces).toBe(true);
    const run = runs.start(provider);
    await run.until(has(FIRST));
    expect(await announced?.()).toContain(SELF.name);
    await runs.close();
    expect(await announced?.()).not.toContain(SELF.name);
  });
}
