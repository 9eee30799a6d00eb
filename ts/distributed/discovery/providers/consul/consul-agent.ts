import { FoundationError } from "../../../../base/errors.ts";
import { discoveryFailed } from "../../asking.ts";
import { excerptOf, type HttpAnswer, HttpSource } from "../../http-source.ts";
import { parseJson } from "../../lines.ts";
import type { ProviderContext } from "../../provider.ts";
import { type ConsulPlan, consulToken } from "./consul-options.ts";

/** An instance with its node and checks has 1.5 kB, so 16,384 have 24 MiB. Unit: bytes. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** The instances of a service, and the index to ask with for the next change; 0 for none. */
export interface ConsulInstances {
  readonly instances: readonly unknown[];
  readonly index: number;
  /** Whether the token may not see all of them. */
  readonly isFiltered: boolean;
}

/** An agent of Consul, by its HTTP API. */
export class ConsulAgent {
  readonly #plan: ConsulPlan;
  readonly #http: HttpSource;
  readonly #what: string;

  constructor(plan: ConsulPlan, context: Pick<ProviderContext, "clock" | "signal">) {
    const { address, timeoutMs, tls } = plan;
    this.#plan = plan;
    this.#what = `Consul at ${address.host}`;
    const options = { what: this.#what, base: address, tls, timeoutMs };
    this.#http = new HttpSource({ ...options, bytesMax: ANSWER_BYTES_MAX }, context);
  }

  /** The instances at once, or, where nothing has changed since `index`, when something does. */
  async instances(index: number): Promise<ConsulInstances> {
    const { service, datacenter, tag, waitMs } = this.#plan;
    const query = new URLSearchParams();
    if (datacenter !== undefined) query.set("dc", datacenter);
    if (tag !== undefined) query.set("tag", tag);
    if (index > 0) {
      query.set("index", `${index}`);
      query.set("wait", `${waitMs}ms`);
    }
    // Consul holds a question for up to a sixteenth longer, so that not all come again at once.
    const extraMs = index > 0 ? waitMs + waitMs / 16 : 0;
    const path = `/v1/health/service/${encodeURIComponent(service)}?${query}`;
    const answer = await this.#ask("GET", path, undefined, extraMs);
    if (answer.status !== 200) throw this.#refused(answer);
    const instances = this.#parsed(answer.text);
    if (!Array.isArray(instances)) throw this.#failed("its answer is no list");
    const { headers } = answer;
    const isFiltered = headers["x-consul-results-filtered-by-acls"] === "true";
    if (index === 0 && instances.length === 0) this.#checkRights(headers, isFiltered);
    const next = Number(headers["x-consul-index"]);
    return { instances, index: Number.isSafeInteger(next) && next > 0 ? next : 0, isFiltered };
  }

  /** Who may read nothing is told of nothing, with status 200. */
  #checkRights(headers: HttpAnswer["headers"], isFiltered: boolean): void {
    const needs = "it needs service:read for the service and node:read";
    if (isFiltered) throw this.#failed(`its token may see no instance; ${needs}`);
    // Nobody without a token is told that something was withheld.
    const isClosed = headers["x-consul-default-acl-policy"] === "deny";
    if (!isClosed || consulToken(this.#plan) !== undefined) return;
    throw this.#failed(`it shows nothing to who has no token, as is its default; ${needs}`);
  }

  /** Registers an instance. */
  async register(instance: object): Promise<void> {
    const answer = await this.#ask("PUT", "/v1/agent/service/register", JSON.stringify(instance));
    if (answer.status !== 200) throw this.#refused(answer);
  }

  /** Says that a check passes; false where the agent does not know it. */
  async pass(check: string): Promise<boolean> {
    const path = `/v1/agent/check/pass/${encodeURIComponent(check)}`;
    const answer = await this.#ask("PUT", path);
    if (answer.status === 200) return true;
    // Before 1.10 a check that is not known is a 500.
    if (answer.status === 404 || /unknown check|does not have/i.test(answer.text)) return false;
    throw this.#refused(answer);
  }

  /** Takes an instance back. */
  async deregister(id: string): Promise<void> {
    const path = `/v1/agent/service/deregister/${encodeURIComponent(id)}`;
    const answer = await this.#ask("PUT", path);
    if (answer.status !== 200 && answer.status !== 404) throw this.#refused(answer);
  }

  async #ask(method: "GET" | "PUT", path: string, body?: string, extraMs = 0): Promise<HttpAnswer> {
    const token = consulToken(this.#plan);
    const headers = token === undefined ? {} : { "x-consul-token": token };
    return this.#http.ask({ method, path, headers, extraMs, ...(body !== undefined && { body }) });
  }

  #parsed(text: string): unknown {
    try {
      return parseJson(text);
    } catch (thrown) {
      throw discoveryFailed(this.#what, thrown);
    }
  }

  #refused({ status, text }: HttpAnswer): FoundationError {
    const remedy = status === 403 ? "; the token lacks a right, or is no longer one" : "";
    return this.#failed(`it answers ${status} ${excerptOf(text)}${remedy}`, { status });
  }

  #failed(text: string, context: Readonly<Record<string, unknown>> = {}): FoundationError {
    return new FoundationError("discovery_failed", `${this.#what}: ${text}`, { context });
  }
}
