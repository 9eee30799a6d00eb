import { FoundationError } from "../../../../base/errors.ts";
import { secretBytes } from "../../../../kernel/secrets.ts";
import { discoveryFailed } from "../../asking.ts";
import { ENTRIES_MAX } from "../../entries.ts";
import { excerptOf, type HttpQuestion, HttpSource } from "../../http-source.ts";
import { at, listAt, parseJson, readLines, readText, textAt } from "../../lines.ts";
import type { ProviderContext } from "../../provider.ts";
import type { EtcdPlan } from "./etcd-options.ts";

/** Keys and values are 300 bytes in the words of the gateway, so 16,384 have 5 MiB. Unit: bytes. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** A key and what it holds; no value where it was deleted. */
export interface EtcdEntry {
  readonly key: string;
  readonly value: string | undefined;
}

/** What a watch tells: changes of keys, or that the revisions it asked for are gone. */
export type EtcdChanges = readonly EtcdEntry[] | "compacted";

/** One server of etcd, by the JSON gateway of its version 3 API. */
export class EtcdClient {
  readonly #plan: EtcdPlan;
  readonly #http: HttpSource;
  readonly #what: string;
  #token: string | undefined;

  constructor(endpoint: URL, plan: EtcdPlan, context: Pick<ProviderContext, "clock" | "signal">) {
    const { timeoutMs, tls } = plan;
    this.#plan = plan;
    this.#what = `etcd at ${endpoint.host}`;
    const options = { what: this.#what, base: endpoint, tls, timeoutMs };
    this.#http = new HttpSource({ ...options, bytesMax: ANSWER_BYTES_MAX }, context);
  }

  /** A lease of so many seconds; resolves with its number. */
  async grant(seconds: number): Promise<string> {
    const id = textAt(await this.#call("lease/grant", { TTL: seconds }), "ID");
    if (id === undefined) throw this.#failed("it granted a lease without a number");
    return id;
  }

  /** Renews a lease; false where it is gone. */
  async keepAlive(lease: string): Promise<boolean> {
    const answer = await this.#call("lease/keepalive", { ID: lease });
    return Number(textAt(answer, "result", "TTL") ?? 0) > 0;
  }

  /** Ends a lease, and removes what was written with it. */
  async revoke(lease: string): Promise<void> {
    await this.#call("lease/revoke", { ID: lease });
  }

  /** Writes a key, which stays as long as the lease. */
  async put(key: string, value: string, lease: string): Promise<void> {
    await this.#call("kv/put", { key: encode(key), value: encode(value), lease });
  }

  /** All keys with a prefix, in the order of their bytes, and when that was so. */
  async range(prefix: string): Promise<{
    readonly entries: readonly EtcdEntry[];
    readonly revision: bigint;
    readonly isWhole: boolean;
  }> {
    const range = { ...rangeOf(prefix), limit: ENTRIES_MAX };
    const answer = await this.#call("kv/range", range);
    const revision = textAt(answer, "header", "revision");
    if (revision === undefined || !/^\d{1,19}$/.test(revision)) {
      throw this.#failed("its answer has no revision");
    }
    const entries = listAt(answer, "kvs").map((kv) => entryOf(kv, false));
    const isWhole = at(answer, "more") !== true;
    return { entries, revision: BigInt(revision), isWhole };
  }

  /** What becomes of keys with a prefix from a revision on, until somebody ends it. */
  async *watch(prefix: string, from: bigint): AsyncGenerator<EtcdChanges> {
    const create = { ...rangeOf(prefix), start_revision: `${from}` };
    const question = await this.#question("watch", { create_request: create });
    const response = await this.#http.open(question);
    try {
      if (response.statusCode !== 200) {
        throw this.#refused(response.statusCode, await readText(response, ANSWER_BYTES_MAX));
      }
      for await (const line of readLines(response, ANSWER_BYTES_MAX)) {
        const said = parseJson(line);
        const error = at(said, "error");
        if (error !== undefined) throw this.#failed(messageIn(error) ?? "its watch failed");
        if (textAt(said, "result", "compact_revision") !== undefined) return yield "compacted";
        if (at(said, "result", "canceled") === true) throw this.#failed("it canceled the watch");
        const events = listAt(said, "result", "events");
        if (events.length > 0) yield events.map(changeOf);
      }
    } catch (thrown) {
      throw discoveryFailed(this.#what, thrown);
    } finally {
      response.destroy();
    }
  }

  async #call(path: string, body: object): Promise<unknown> {
    let answer = await this.#http.ask(await this.#question(path, body));
    if (answer.status === 401 && this.#plan.user !== undefined) {
      this.#token = undefined; // It was forgotten, or has expired.
      answer = await this.#http.ask(await this.#question(path, body));
    }
    if (answer.status !== 200) throw this.#refused(answer.status, answer.text);
    return this.#parsed(answer.text);
  }

  async #question(path: string, body: object): Promise<HttpQuestion> {
    const { user } = this.#plan;
    if (user !== undefined) this.#token ??= await this.#authenticate(user);
    const headers = this.#token === undefined ? {} : { authorization: this.#token };
    return { ...post(path, body), headers };
  }

  async #authenticate(name: string): Promise<string> {
    const password = secretBytes(this.#plan.password, "password").toString();
    const answer = await this.#http.ask(post("auth/authenticate", { name, password }));
    if (answer.status !== 200) throw this.#refused(answer.status, answer.text);
    const token = textAt(this.#parsed(answer.text), "token");
    if (token === undefined) throw this.#failed("it gave no token for the password");
    return token;
  }

  #parsed(text: string): unknown {
    try {
      return parseJson(text);
    } catch (thrown) {
      throw discoveryFailed(this.#what, thrown);
    }
  }

  #refused(status: number | undefined, text: string): FoundationError {
    let said: string | undefined;
    try {
      said = messageIn(parseJson(text));
    } catch {
      // A proxy on the way has its own pages for errors.
    }
    return this.#failed(`it answers ${status} ${said ?? ""}`.trim(), { status });
  }

  #failed(text: string, context: Readonly<Record<string, unknown>> = {}): FoundationError {
    return new FoundationError("discovery_failed", `${this.#what}: ${text}`, { context });
  }
}

function post(path: string, body: object): HttpQuestion {
  return { method: "POST", path: `/v3/${path}`, body: JSON.stringify(body) };
}

function messageIn(error: unknown): string | undefined {
  const text = textAt(error, "message") ?? textAt(error, "error");
  return text === undefined ? undefined : excerptOf(text);
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}

function decode(text: unknown): string {
  return typeof text === "string" ? Buffer.from(text, "base64").toString() : "";
}

function entryOf(kv: unknown, isDeleted: boolean): EtcdEntry {
  const value = isDeleted ? undefined : decode(at(kv, "value"));
  return { key: decode(at(kv, "key")), value };
}

function changeOf(event: unknown): EtcdEntry {
  return entryOf(at(event, "kv"), at(event, "type") === "DELETE");
}

/** All keys with a prefix end before the prefix whose last byte is one more. */
function rangeOf(prefix: string): { readonly key: string; readonly range_end: string } {
  const end = Buffer.from(prefix);
  // UTF-8 has no byte 0xff, so that one more is a byte as well.
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1;
  return { key: encode(prefix), range_end: end.toString("base64") };
}
