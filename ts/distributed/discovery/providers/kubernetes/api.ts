import type { IncomingMessage } from "node:http";
import { type Agent, request } from "node:https";
import { type ErrorFacts, FoundationError } from "../../../../base/errors.ts";
import { answerOf, discoveryFailed } from "../../asking.ts";
import { parseJson, readText, textAt } from "../../lines.ts";
import type { ProviderContext } from "../../provider.ts";
import { apiAccess, userOf } from "./access.ts";
import { ANSWER_BYTES_MAX, readLines, TOO_LONG_REMEDY } from "./answer.ts";
import { type KubernetesPlan, placeOf } from "./options.ts";
import { RESOURCES } from "./resources.ts";

type Query = Readonly<Record<string, string>>;

/** Whether the server does not know a version or a page any more: ask it from the start. */
export function isGone(thrown: unknown): boolean {
  return thrown instanceof FoundationError && thrown.context["status"] === 410;
}

// Idle connections are probed, so that a watch of a server that is gone ends within half a minute.
const PROBE_IDLE_MS = 15_000;
const REFUSAL_BYTES_MAX = 64 * 1024;
const MESSAGE_CHARACTERS_MAX = 300;

/** The API server, asked for the objects of a plan. */
export class KubernetesApi {
  readonly #plan: KubernetesPlan;
  readonly #context: ProviderContext;
  readonly #what: string;

  constructor(plan: KubernetesPlan, context: ProviderContext) {
    this.#plan = plan;
    this.#context = context;
    this.#what = `Kubernetes ${placeOf(plan)}`;
  }

  /**
   * One page of the list.
   *
   * @throws FoundationError `discovery_failed`, also where the page {@link isGone}
   */
  async list(query: Query): Promise<unknown> {
    return this.#answered(async (signal) => {
      const response = await this.#open(query, signal);
      return parseJson(await readText(response, ANSWER_BYTES_MAX, TOO_LONG_REMEDY));
    });
  }

  /**
   * Events of a watch as they arrive. Ends where the server ends it.
   *
   * @throws FoundationError `discovery_failed`, also where the version {@link isGone}
   */
  async *watch(query: Query, lifeMs: number): AsyncGenerator<readonly unknown[]> {
    const { clock, signal } = this.#context;
    const response = await this.#answered(async (asking) =>
      this.#open({ ...query, watch: "true" }, asking),
    );
    const late = new Error(`its watch did not end within ${lifeMs} ms, as it was asked to`);
    const cancel = clock.after(lifeMs + this.#plan.timeoutMs, () => response.destroy(late));
    const onAbort = (): void => void response.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      for await (const lines of readLines(response, ANSWER_BYTES_MAX)) yield lines.map(parseJson);
    } catch (thrown) {
      throw discoveryFailed(this.#what, thrown);
    } finally {
      cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** The error that a status stands for, be it one of HTTP or one that a watch tells of. */
  refusal(status: number, message: string): FoundationError {
    const text = `it answers ${status} ${printable(message)}${this.#remedy(status)}`;
    return this.failed(text, { status });
  }

  /** What is thrown where the source cannot be asked. */
  failed(text: string, context: ErrorFacts = {}): FoundationError {
    return new FoundationError("discovery_failed", `${this.#what}: ${text}`, { context });
  }

  async #answered<Answer>(ask: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const { timeoutMs } = this.#plan;
    return answerOf(this.#context, { what: this.#what, timeoutMs }, ask);
  }

  /** Resolves with an answer of status 200, of which nothing was read. */
  async #open(query: Query, signal: AbortSignal): Promise<IncomingMessage> {
    const { master, namespace, options } = await apiAccess(this.#plan);
    // A connection of its own: the next request may have another token and another authority.
    const { agent = false } = options;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        host: master.hostname.replace(/^\[|\]$/g, ""),
        port: master.port === "" ? 443 : Number(master.port),
        path: this.#path(master, namespace, query),
        ...options,
        headers: { ...options.headers, accept: "application/json" },
        agent,
        signal,
      });
      if (agent !== false) sent.on("close", () => (agent as Agent).destroy());
      sent.on("socket", (socket) => socket.setKeepAlive(true, PROBE_IDLE_MS));
      sent.on("response", resolve);
      sent.on("error", reject);
      sent.end();
    });
    const { statusCode = 0, statusMessage = "" } = response;
    if (statusCode === 200) return response;
    const message = messageIn(await readText(response, REFUSAL_BYTES_MAX).catch(() => ""));
    throw this.refusal(statusCode, message ?? statusMessage);
  }

  #path(master: URL, namespace: string, query: Query): string {
    const { source, selector, serviceName } = this.#plan;
    const { group, plural, ofService } = RESOURCES[source];
    const chosen =
      selector === undefined ? ofService(serviceName as string) : { labelSelector: selector };
    const prefix = master.pathname.replace(/\/+$/, "");
    const asked = new URLSearchParams({ ...chosen, ...query });
    return `${prefix}${group}/namespaces/${namespace}/${plural}?${asked}`;
  }

  #remedy(status: number): string {
    const { plural } = RESOURCES[this.#plan.source];
    const user = userOf(this.#plan);
    if (status === 401) return `; it does not take the token of ${user}`;
    if (status !== 403) return "";
    return `; ${user} needs the rights get, list and watch on ${plural}`;
  }
}

function messageIn(body: string): string | undefined {
  try {
    return textAt(JSON.parse(body), "message");
  } catch {
    // No object of the API: a proxy on the way has its own pages for errors.
    return undefined;
  }
}

/** Without what could move a cursor or break a line of a log, and no longer than a line or two. */
function printable(text: string): string {
  return text.slice(0, MESSAGE_CHARACTERS_MAX).replaceAll(/\p{C}+/gu, " ");
}
