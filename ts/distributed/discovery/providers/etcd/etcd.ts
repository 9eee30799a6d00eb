import { untilAborted } from "../../asking.ts";
import { renewed } from "../../duty.ts";
import {
  type CandidateSet,
  type DiscoveryProvider,
  type ProviderContext,
  pauseUntil,
} from "../../provider.ts";
import { EtcdClient } from "./etcd-client.ts";
import { EtcdKeys } from "./etcd-keys.ts";
import { type EtcdOptions, type EtcdPlan, etcdPlan } from "./etcd-options.ts";
import { EtcdRegistration } from "./etcd-registration.ts";

/** Shortest time from one reading of all keys to the next. Unit: ms. */
const ROUND_MS_MIN = 1_000;

/**
 * Nodes that write themselves into etcd under a lease, and watch who else is there.
 *
 * @throws FoundationError `invalid_options`
 */
export function etcdProvider(options: EtcdOptions): DiscoveryProvider {
  const plan = etcdPlan(options);
  const source = new EtcdSource(plan);
  const hosts = plan.endpoints.map(({ host }) => host).join(", ");
  return {
    kind: "etcd",
    announces: true,
    label: `etcd ${plan.prefix} at ${hosts}`,
    candidates: (context) => untilAborted(context, source.sets(context)),
    close: async () => source.close(),
  };
}

class EtcdSource {
  readonly #plan: EtcdPlan;
  /** Which server is asked next. */
  #at = 0;
  #registration: EtcdRegistration | undefined;
  #clock: ProviderContext["clock"] | undefined;

  constructor(plan: EtcdPlan) {
    this.#plan = plan;
  }

  /** Goes from server to server until each has failed once. */
  async *sets(context: ProviderContext): AsyncGenerator<CandidateSet> {
    this.#clock = context.clock;
    this.#registration ??= new EtcdRegistration(this.#plan, context.self);
    for (let failed = 1; ; failed++) {
      try {
        yield* this.#setsOfOne(context, this.#registration);
        return;
      } catch (thrown) {
        this.#at += 1;
        if (context.signal.aborted || failed >= this.#plan.endpoints.length) throw thrown;
        context.note("endpointFailed");
      }
    }
  }

  async *#setsOfOne(
    context: ProviderContext,
    registration: EtcdRegistration,
  ): AsyncGenerator<CandidateSet> {
    const { prefix, key } = registration;
    yield* renewed(
      context,
      this.#plan.ttlMs / 3,
      (beside) => {
        const client = this.#client(beside);
        return async () => registration.renew(client);
      },
      (beside) => watched(this.#client(beside), beside, prefix, key),
    );
  }

  #client(context: Pick<ProviderContext, "clock" | "signal">): EtcdClient {
    const { endpoints } = this.#plan;
    return new EtcdClient(endpoints[this.#at % endpoints.length] as URL, this.#plan, context);
  }

  /** Takes the own key back; what no server hears of ends with its lease. */
  async close(): Promise<void> {
    const [registration, clock] = [this.#registration, this.#clock];
    if (registration === undefined || clock === undefined) return;
    for (let tried = 0; tried < this.#plan.endpoints.length; tried++) {
      try {
        await registration.withdraw(this.#client({ clock, signal: new AbortController().signal }));
        return;
      } catch {
        this.#at += 1;
      }
    }
  }
}

async function* watched(
  client: EtcdClient,
  context: ProviderContext,
  prefix: string,
  own: string,
): AsyncGenerator<CandidateSet> {
  while (!context.signal.aborted) {
    const startMs = context.clock.now();
    const { entries, revision, isWhole } = await client.range(prefix);
    const keys = new EtcdKeys(context, own, entries, isWhole);
    yield keys.set();
    for await (const changes of client.watch(prefix, revision + 1n)) {
      if (changes === "compacted") break;
      keys.apply(changes);
      yield keys.set();
      // Who did not fit may fit now.
      if (!keys.isWhole) break;
    }
    await pauseUntil(context, startMs + ROUND_MS_MIN);
  }
}
