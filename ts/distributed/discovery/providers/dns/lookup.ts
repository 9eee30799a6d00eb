import type { SrvRecord } from "node:dns";
import { Resolver } from "node:dns/promises";
import { discoveryFailed } from "../../asking.ts";
import { addressOf, nameOf } from "../../entries.ts";
import type { Candidate, CandidateSet, ProviderContext } from "../../provider.ts";
import { type DnsPlan, isDomain } from "./dns-options.ts";

/** Hosts of one answer whose addresses are asked for: as many as a round looks at. */
const HOSTS_MAX = 1_024;

/** Questions that are open at a time; name servers drop what comes in floods. */
const OPEN_MAX = 16;

/** The name does not exist, or has no records of that type: an answer, not a failure. */
const EMPTY: ReadonlySet<unknown> = new Set(["ENOTFOUND", "ENODATA"]);

/** Addresses of a name, and whether all who were asked for them answered. */
interface Addresses {
  readonly addresses: readonly string[];
  readonly isComplete: boolean;
}

/**
 * One look at a name. Every answer is bounded by what a message of DNS holds: 64 KiB, some 4,000
 * addresses.
 */
export class Lookup {
  readonly #plan: DnsPlan;
  readonly #context: ProviderContext;
  readonly #signal: AbortSignal;
  readonly #resolver: Resolver;

  /** `signal`: nobody waits for the answer any more. */
  constructor(plan: DnsPlan, context: ProviderContext, signal: AbortSignal) {
    this.#plan = plan;
    this.#context = context;
    this.#signal = signal;
    // A second try waits twice as long as the first: together they take the whole time.
    const timeout = Math.max(1, Math.floor(plan.timeoutMs / 3));
    this.#resolver = new Resolver({ timeout, tries: 2 });
    if (plan.resolvers !== undefined) this.#resolver.setServers(plan.resolvers);
    signal.addEventListener("abort", () => this.#resolver.cancel(), { once: true });
  }

  /** What the name stands for now. */
  async candidates(name: string): Promise<CandidateSet> {
    return this.#plan.type === "srv" ? this.#ofServices(name) : this.#ofAddresses(name);
  }

  async #ofAddresses(name: string): Promise<CandidateSet> {
    const { addresses, isComplete } = await this.#addressesOf(name);
    const port = this.#plan.port ?? this.#context.self.port;
    return { candidates: this.#candidatesOf(addresses, port, undefined), isComplete };
  }

  async #ofServices(name: string): Promise<CandidateSet> {
    const records = await unlessEmpty(this.#resolver.resolveSrv(name));
    const hosts = new Map<string, SrvRecord[]>();
    for (const record of records) {
      const known = hosts.get(record.name);
      if (known !== undefined) known.push(record);
      else if (hosts.size < HOSTS_MAX) hosts.set(record.name, [record]);
      else this.#context.note("overLimit");
    }
    const isWhole = records.length === [...hosts.values()].flat().length;
    const sets = await this.#inTurns([...hosts], async (host) => this.#ofHost(...host));
    const answers = sets.filter((set): set is CandidateSet => !(set instanceof Error));
    if (answers.length === 0 && sets.length > 0) throw sets[0];
    return {
      candidates: answers.flatMap(({ candidates }) => candidates),
      isComplete:
        isWhole && answers.length === sets.length && answers.every((set) => set.isComplete),
    };
  }

  /** The addresses of one host, once for each of its ports; the error where they are not known. */
  async #ofHost(host: string, records: readonly SrvRecord[]): Promise<CandidateSet | Error> {
    const { note } = this.#context;
    if (!isDomain(host)) {
      note("badAddress");
      return { candidates: [], isComplete: true };
    }
    try {
      const { addresses, isComplete } = await this.#addressesOf(host);
      if (addresses.length === 0) note("unresolved");
      const ports = new Set(records.map(({ port }) => this.#plan.port ?? port));
      const candidates = [...ports].flatMap((port) => this.#candidatesOf(addresses, port, host));
      return { candidates, isComplete };
    } catch (thrown) {
      note("unresolved");
      return discoveryFailed(`the host ${host}`, thrown);
    }
  }

  /** The outcome of each, in order, with only so many begun at a time. */
  async #inTurns<One, Outcome>(
    all: readonly One[],
    run: (one: One) => Promise<Outcome>,
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    let next = 0;
    const take = async (): Promise<void> => {
      while (next < all.length && !this.#signal.aborted) {
        const at = next++;
        outcomes[at] = await run(all[at] as One);
      }
    };
    await Promise.all(Array.from({ length: OPEN_MAX }, take));
    return outcomes;
  }

  #candidatesOf(
    addresses: readonly string[],
    port: number,
    host: string | undefined,
  ): readonly Candidate[] {
    return addresses.flatMap((ip) => {
      const address = addressOf(ip, port);
      if (address === undefined) {
        this.#context.note("badAddress");
        return [];
      }
      const name = nameOf(host ?? ip, this.#plan);
      return [{ address, ...(name !== undefined && { name }) }];
    });
  }

  /** Fails where nobody answers; with the addresses of one family those of the other may miss. */
  async #addressesOf(name: string): Promise<Addresses> {
    const { families } = this.#plan;
    const answers = await Promise.allSettled(
      families.map((family) =>
        unlessEmpty(family === 4 ? this.#resolver.resolve4(name) : this.#resolver.resolve6(name)),
      ),
    );
    const addresses = answers.flatMap((answer) =>
      answer.status === "fulfilled" ? answer.value : [],
    );
    const failure = answers.find((answer) => answer.status === "rejected");
    if (failure !== undefined) {
      if (addresses.length === 0) throw failure.reason;
      this.#context.note("familyFailed");
    }
    return { addresses, isComplete: failure === undefined };
  }
}

async function unlessEmpty<One>(answer: Promise<One[]>): Promise<One[]> {
  try {
    return await answer;
  } catch (thrown) {
    if (EMPTY.has((thrown as { code?: unknown }).code)) return [];
    throw thrown;
  }
}
