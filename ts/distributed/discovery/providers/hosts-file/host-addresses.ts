import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { answerOf } from "../../asking.ts";
import type { ProviderContext } from "../../provider.ts";

/** The system answers on threads that files need, too, and of which there are four. */
const OPEN_MAX = 2;

/** Addresses of one host; undefined where nobody could tell. */
export type HostAddresses = readonly string[] | undefined;

/** Asks the system for addresses of hosts, as it knows them: hosts file, search domains, DNS. */
export class HostLookup {
  readonly #context: ProviderContext;
  readonly #timeoutMs: number;
  /** Questions that are open. They cannot be taken back, so none is put twice. */
  readonly #open = new Map<string, Promise<readonly string[]>>();

  constructor(context: ProviderContext, timeoutMs: number) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
  }

  /** The addresses of each host, in order. */
  async addressesOf(hosts: readonly string[]): Promise<readonly HostAddresses[]> {
    const answers = new Array<HostAddresses>(hosts.length);
    const left = hosts.entries();
    const ask = async (): Promise<void> => {
      for (const [at, host] of left) answers[at] = await this.#answer(host);
    };
    await Promise.all(Array.from({ length: OPEN_MAX }, ask));
    return answers;
  }

  async #answer(host: string): Promise<HostAddresses> {
    if (isIP(host) !== 0) return [host];
    const limit = { what: `the host ${host}`, timeoutMs: this.#timeoutMs };
    try {
      return await answerOf(this.#context, limit, async () => this.#lookup(host));
    } catch {
      // Counted by whoever asks: the other hosts are to be found all the same.
      return undefined;
    }
  }

  async #lookup(host: string): Promise<readonly string[]> {
    const open = this.#open.get(host) ?? this.#begin(host);
    this.#open.set(host, open);
    return open;
  }

  async #begin(host: string): Promise<readonly string[]> {
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } finally {
      this.#open.delete(host);
    }
  }
}
