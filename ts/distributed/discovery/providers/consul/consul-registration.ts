import type { DiscoveringNode } from "../../provider.ts";
import type { ConsulAgent } from "./consul-agent.ts";
import { META_CLUSTER, META_NAME } from "./consul-instances.ts";
import type { ConsulPlan } from "./consul-options.ts";

/** This node as an instance of the service, with a check that it has to pass again and again. */
export class ConsulRegistration {
  readonly #id: string;
  readonly #instance: object;
  #isThere = false;

  constructor(plan: ConsulPlan, { name, cluster, host, port }: DiscoveringNode) {
    const { service, tag, ttlMs, deregisterAfterMs } = plan;
    this.#id = `foundation-${cluster}-${name}`;
    this.#instance = {
      ID: this.#id,
      Name: service,
      Address: host,
      Port: port,
      Tags: tag === undefined ? [] : [tag],
      Meta: { [META_CLUSTER]: cluster, [META_NAME]: name },
      Check: {
        CheckID: this.#check,
        TTL: `${ttlMs}ms`,
        Status: "passing",
        DeregisterCriticalServiceAfter: `${deregisterAfterMs}ms`,
      },
    };
  }

  get #check(): string {
    return `service:${this.#id}`;
  }

  /** Passes the check, or registers where the agent does not know this node, or no more. */
  async renew(agent: ConsulAgent): Promise<void> {
    if (this.#isThere && (await agent.pass(this.#check))) return;
    await agent.register(this.#instance);
    this.#isThere = true;
  }

  /** Takes the instance back. */
  async withdraw(agent: ConsulAgent): Promise<void> {
    if (!this.#isThere) return;
    await agent.deregister(this.#id);
    this.#isThere = false;
  }
}
