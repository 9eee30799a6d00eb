import type { Dispatcher } from "undici";
import { type Clock, SYSTEM_CLOCK } from "../../../base/clock.ts";
import { abortError } from "../../../base/deadline.ts";
import { FoundationError } from "../../../base/errors.ts";
import { thrownText } from "../../../base/thrown-text.ts";
import {
  type HttpHeaders,
  type HttpPlan,
  type HttpWorkerOptions,
  headerPairs,
  planHttp,
} from "./http-options.ts";
import { refusePool } from "./pool-options.ts";

/** What goes with one request. */
export interface HttpRequestOptions {
  /** Appended to the address, in whatever unit the server wants them. Unit: none. Default: none. */
  readonly params?: Readonly<Record<string, string | number | boolean>>;
  /** Sent with it; those of the worker of the same names are not. Default: none. */
  readonly headers?: HttpHeaders;
  /** Ends it with `aborted`. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** What a server answered, whatever its status. */
export interface HttpResponse {
  readonly statusCode: number;
  /** Names in lower case; a field that came several times is a list. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
  /** The body as text in UTF-8. */
  text(): string;
  /**
   * The body read as JSON.
   *
   * @throws FoundationError `deserialization_failed`
   */
  json(): unknown;
}

/** What is known of a worker. */
export interface HttpWorkerStatus {
  readonly baseUrl: string;
  /** Unit: ms. */
  readonly timeoutMs: number;
  /** Without the values of those that hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly stats: {
    /** Requests that ended, well or not. Unit: requests. */
    readonly requestsMade: number;
    /** Unit: ms since 1970; undefined before the first. */
    readonly lastRequestAt: number | undefined;
    /** Requests that got no answer. Unit: requests. */
    readonly errors: number;
  };
  /** Unit: ms. */
  readonly uptimeMs: number;
}

const SECRET_HEADER = /auth|cookie|token|secret|key/;
const REDIRECTS: ReadonlySet<number> = new Set([300, 301, 302, 303, 307, 308]);

/** Speaks HTTP with one server, over connections that it keeps open. The worker of HTTP pools. */
export class HttpWorker {
  readonly #plan: HttpPlan;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #stats = { requestsMade: 0, lastRequestAt: undefined as number | undefined, errors: 0 };
  #agent: Promise<Agent> | undefined;
  #isStopped = false;

  /**
   * Opens no connection yet.
   *
   * @throws FoundationError `invalid_config` with the option that cannot be used
   */
  constructor(options: HttpWorkerOptions, clock: Clock = SYSTEM_CLOCK) {
    this.#plan = planHttp(options);
    this.#clock = clock;
    this.#startMs = clock.now();
  }

  /**
   * Asks for a resource.
   *
   * @throws FoundationError `timeout`, `aborted`, `network_error`, `too_many_redirects`,
   *   `response_too_large`, `invalid_config` with headers or a path that cannot be sent,
   *   `pool_stopped`
   */
  async get(path: string, options: HttpRequestOptions = {}): Promise<HttpResponse> {
    return this.#exchange("GET", path, undefined, options);
  }

  /**
   * Sends something: texts and bytes as they are, anything else as JSON.
   *
   * @throws FoundationError as `get`; `serialization_failed` where it cannot be JSON
   */
  async post(path: string, body: unknown, options: HttpRequestOptions = {}): Promise<HttpResponse> {
    return this.#exchange("POST", path, body, options);
  }

  /** What it was asked so far, and how it sends requests. */
  getStatus(): HttpWorkerStatus {
    const { baseUrl, timeoutMs, headers } = this.#plan;
    const shown = [...headers].map(([name, value]) => [
      name,
      SECRET_HEADER.test(name) ? "[redacted]" : value,
    ]);
    return {
      baseUrl: baseUrl.href.replace(/\/$/, ""),
      timeoutMs,
      headers: Object.fromEntries(shown),
      stats: { ...this.#stats },
      uptimeMs: this.#clock.now() - this.#startMs,
    };
  }

  /** Closes its connections; requests under way fail. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await (await this.#agent)?.close();
  }

  /** Whether it takes requests. */
  isHealthy(): boolean {
    return !this.#isStopped;
  }

  async #exchange(
    method: "GET" | "POST",
    path: string,
    body: unknown,
    options: HttpRequestOptions,
  ): Promise<HttpResponse> {
    if (this.#isStopped) throw new FoundationError("pool_stopped", "the worker was stopped");
    const url = urlOf(this.#plan.baseUrl, path, options.params);
    const content = contentOf(body);
    const headers = new Map(this.#plan.headers);
    if (content.type !== undefined) headers.set("content-type", content.type);
    for (const [name, value] of headerPairs(options.headers ?? {})) headers.set(name, value);
    const { timeoutMs } = this.#plan;
    const control = new AbortController();
    const cancel = this.#clock.after(timeoutMs, () => control.abort(late(timeoutMs)), true);
    const { signal } = options;
    const both = signal === undefined ? control.signal : AbortSignal.any([control.signal, signal]);
    try {
      this.#agent ??= Agent.open(this.#plan);
      const agent = await this.#agent;
      const request = { method, headers: Object.fromEntries(headers), body: content.bytes };
      return await agent.exchange(url, { ...request, signal: both });
    } catch (thrown) {
      this.#stats.errors += 1;
      throw errorOf(thrown, control.signal, signal);
    } finally {
      cancel();
      this.#stats.requestsMade += 1;
      this.#stats.lastRequestAt = this.#clock.wallNow();
    }
  }
}

interface Request {
  readonly method: "GET" | "POST";
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | null;
  readonly signal: AbortSignal;
}

/** The connections of a worker; undici is loaded with the first. */
class Agent {
  readonly #plan: HttpPlan;
  readonly #dispatcher: Dispatcher;
  readonly #request: typeof import("undici").request;

  private constructor(plan: HttpPlan, undici: typeof import("undici")) {
    const { connections, keepAliveMs, maxRedirects } = plan;
    this.#plan = plan;
    this.#request = undici.request;
    const agent = new undici.Agent({ connections, keepAliveTimeout: keepAliveMs });
    const redirect = undici.interceptors.redirect({ maxRedirections: maxRedirects });
    this.#dispatcher = maxRedirects === 0 ? agent : agent.compose(redirect);
  }

  static async open(plan: HttpPlan): Promise<Agent> {
    return new Agent(plan, await import("undici"));
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy(new FoundationError("pool_stopped", "the worker was stopped"));
  }

  async exchange(url: URL, request: Request): Promise<HttpResponse> {
    const response = await this.#request(url, { ...request, dispatcher: this.#dispatcher });
    const { statusCode, headers } = response;
    const { maxRedirects } = this.#plan;
    const { location } = headers;
    if (maxRedirects > 0 && REDIRECTS.has(statusCode) && location !== undefined) {
      await response.body.dump();
      const text = `more than ${maxRedirects} redirects`;
      throw new FoundationError("too_many_redirects", text, { context: { location } });
    }
    return responseOf(statusCode, headers, await this.#read(response.body));
  }

  async #read(body: Dispatcher.ResponseData["body"]): Promise<Uint8Array> {
    const { responseBytesMax } = this.#plan;
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > responseBytesMax) {
        const text = `the body of the response exceeds ${responseBytesMax} bytes`;
        throw new FoundationError("response_too_large", text);
      }
      chunks.push(chunk);
    }
    return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size);
  }
}

function responseOf(
  statusCode: number,
  headers: HttpResponse["headers"],
  body: Uint8Array,
): HttpResponse {
  const text = (): string => new TextDecoder().decode(body);
  const json = (): unknown => {
    try {
      return JSON.parse(text());
    } catch (thrown) {
      throw noJson("deserialization_failed", "the body of the response is no JSON", thrown);
    }
  };
  return { statusCode, headers, body, text, json };
}

/** A path stays below the address of its worker, whatever it looks like. */
function urlOf(base: URL, path: string, params: HttpRequestOptions["params"]): URL {
  if (typeof path !== "string") throw refusePool("path must be a text", {});
  const text = `${base.href.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.origin !== base.origin) {
    throw refusePool(`'${path}' is no path below '${base.origin}'`, {});
  }
  for (const [name, value] of Object.entries(params ?? {})) {
    url.searchParams.append(name, String(value));
  }
  return url;
}

interface Content {
  readonly type: string | undefined;
  readonly bytes: string | Uint8Array | null;
}

function contentOf(body: unknown): Content {
  if (body === undefined || body === null) return { type: undefined, bytes: null };
  if (typeof body === "string") return { type: "text/plain; charset=utf-8", bytes: body };
  if (body instanceof Uint8Array) return { type: "application/octet-stream", bytes: body };
  try {
    return { type: "application/json", bytes: JSON.stringify(body) };
  } catch (thrown) {
    throw noJson("serialization_failed", "the body of the request cannot be JSON", thrown);
  }
}

function noJson(
  code: "serialization_failed" | "deserialization_failed",
  text: string,
  cause: unknown,
): FoundationError {
  return new FoundationError(code, text, { cause });
}

function late(timeoutMs: number): FoundationError {
  const text = `no complete response within ${timeoutMs} ms`;
  return new FoundationError("timeout", text, { numericCode: 4301, context: { timeoutMs } });
}

/** What was thrown, in the words of this package. */
function errorOf(
  thrown: unknown,
  deadline: AbortSignal,
  signal: AbortSignal | undefined,
): FoundationError {
  if (deadline.aborted) return deadline.reason as FoundationError;
  if (signal?.aborted === true) return abortError(signal);
  if (thrown instanceof FoundationError) return thrown;
  const reason = thrownText(thrown);
  const code: unknown = Reflect.get(Object(thrown), "code");
  // What undici refuses to send, a header with a line break for one.
  if (code === "UND_ERR_INVALID_ARG") return refusePool(reason, {});
  return new FoundationError("network_error", reason, { cause: thrown, context: { reason: code } });
}
