import type { DiscoveringNode } from "../../provider.ts";
import type { EtcdClient } from "./etcd-client.ts";
import type { EtcdPlan } from "./etcd-options.ts";

/** The key of a node, as long as its lease is renewed. */
export class EtcdRegistration {
  /** What the keys of the cluster begin with. */
  readonly prefix: string;
  /** The own key. */
  readonly key: string;
  readonly #value: string;
  readonly #seconds: number;
  #lease: string | undefined;

  constructor({ prefix, ttlMs }: EtcdPlan, { cluster, name, address }: DiscoveringNode) {
    this.prefix = `${prefix}${encodeURIComponent(cluster)}/`;
    this.key = `${this.prefix}${encodeURIComponent(name)}`;
    this.#value = JSON.stringify({ address, name });
    this.#seconds = Math.ceil(ttlMs / 1_000);
  }

  /** Renews the lease, or writes the key anew where etcd knows it no more. */
  async renew(client: EtcdClient): Promise<void> {
    if (this.#lease !== undefined && (await client.keepAlive(this.#lease))) return;
    this.#lease = await client.grant(this.#seconds);
    await client.put(this.key, this.#value, this.#lease);
  }

  /** Removes the key. */
  async withdraw(client: EtcdClient): Promise<void> {
    if (this.#lease === undefined) return;
    await client.revoke(this.#lease);
    this.#lease = undefined;
  }
}
