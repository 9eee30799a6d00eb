import { untilAborted } from "../../asking.ts";
import { renewed } from "../../duty.ts";
import {
  type CandidateSet,
  type DiscoveryProvider,
  type ProviderContext,
  pauseUntil,
} from "../../provider.ts";
import { ConsulAgent } from "./consul-agent.ts";
import { readInstances } from "./consul-instances.ts";
import { type ConsulOptions, type ConsulPlan, consulPlan } from "./consul-options.ts";
import { ConsulRegistration } from "./consul-registration.ts";

/** Shortest time between two questions, where the service changes all the time. Unit: ms. */
const ROUND_MS_MIN = 250;
/** The same where the agent does not hold questions, for it gives no index. Unit: ms. */
const ROUND_WITHOUT_INDEX_MS_MIN = 1_000;

/**
 * Nodes that are instances of a service in Consul: each registers itself with a check that it
 * passes while it lives, and asks for the others with questions that are held until something
 * changes.
 *
 * @throws FoundationError `invalid_options`
 */
export function consulProvider(options: ConsulOptions): DiscoveryProvider {
  const plan = consulPlan(options);
  let withdraw = async (): Promise<void> => {};
  let registration: ConsulRegistration | undefined;
  return {
    kind: "consul",
    announces: plan.register,
    label: `consul ${plan.service} at ${plan.address.host}`,
    candidates(context) {
      if (!plan.register) return untilAborted(context, followed(plan, context));
      registration ??= new ConsulRegistration(plan, context.self);
      const { clock } = context;
      const { signal } = new AbortController();
      const own = registration;
      withdraw = async () => own.withdraw(new ConsulAgent(plan, { clock, signal }));
      const renewal = (beside: ProviderContext) => {
        const agent = new ConsulAgent(plan, beside);
        return async (): Promise<void> => own.renew(agent);
      };
      const sets = renewed(context, plan.ttlMs / 3, renewal, (beside) => followed(plan, beside));
      return untilAborted(context, sets);
    },
    async close() {
      // What the agent does not hear of, it takes back itself: the check passes no longer.
      await withdraw().catch(() => {});
    },
  };
}

async function* followed(plan: ConsulPlan, context: ProviderContext): AsyncGenerator<CandidateSet> {
  const agent = new ConsulAgent(plan, context);
  let index = 0;
  let isFiltered = false;
  while (!context.signal.aborted) {
    const startMs = context.clock.now();
    const answer = await agent.instances(index);
    // An index that goes back is that of another state: of a server that was restored, or of none,
    // for the token was taken back. Only what is asked from the start is believed then.
    const isBack = answer.index < index;
    if (!isBack) {
      // What a held question is answered does not say whether anything was withheld.
      if (index === 0) isFiltered = answer.isFiltered;
      const set = readInstances(answer.instances, plan, context);
      yield { ...set, isComplete: set.isComplete && !isFiltered };
    }
    index = isBack ? 0 : answer.index;
    const roundMs = index === 0 ? ROUND_WITHOUT_INDEX_MS_MIN : ROUND_MS_MIN;
    await pauseUntil(context, startMs + roundMs);
  }
}
