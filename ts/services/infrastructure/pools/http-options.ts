import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { knownKeys, numberWithin, wholeNumber } from "../checks.ts";
import { refusePool } from "./pool-options.ts";

/** Fields of a request or a response by name, or as pairs. */
export type HttpHeaders =
  | Readonly<Record<string, string>>
  | readonly (readonly [name: string, value: string])[];

/** Where a worker sends its requests, and how. Defaults: {@link HTTP_WORKER_DEFAULTS}. */
export interface HttpWorkerOptions {
  /** Address that paths are relative to: `http://` or `https://`, with or without a path. */
  readonly baseUrl: string;
  /** Time for a whole exchange, redirects and body included. Unit: ms. */
  readonly timeoutMs?: number;
  /** Sent with every request. */
  readonly headers?: HttpHeaders;
  /** Redirects that are followed; 0 hands the redirect itself out. Unit: redirects. */
  readonly maxRedirects?: number;
  /** Longest body that is taken. Unit: bytes. */
  readonly responseBytesMax?: number;
  /** Connections to one server at a time; further requests wait for one. Unit: connections. */
  readonly connections?: number;
  /** Time that an idle connection stays open. Unit: ms. */
  readonly keepAliveMs?: number;
}

/** How a worker sends its requests unless its options say otherwise. */
export const HTTP_WORKER_DEFAULTS = Object.freeze({
  timeoutMs: 30_000, // as Foundation 1.x
  // Foundation 1.x called itself Foundation/1.0.
  headers: Object.freeze({ "user-agent": "Foundation/2.0" }) as HttpHeaders,
  maxRedirects: 5, // as Foundation 1.x
  responseBytesMax: 16 << 20, // as much as one message of a node may hold
  connections: 10, // a worker may be asked several things at a time
  keepAliveMs: 4_000, // as undici: below the five seconds after which Node's servers hang up
});

/** Options of a worker, complete and checked; the names of its headers in lower case. */
export interface HttpPlan {
  readonly baseUrl: URL;
  readonly timeoutMs: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly maxRedirects: number;
  readonly responseBytesMax: number;
  readonly connections: number;
  readonly keepAliveMs: number;
}

const KEYS = ["baseUrl", ...Object.keys(HTTP_WORKER_DEFAULTS)];
const REDIRECTS_MAX = 100;
const CONNECTIONS_MAX = 10_000;

/**
 * Completes and checks the options of a worker.
 *
 * @throws FoundationError `invalid_config` with the option that cannot be used
 */
export function planHttp(options: HttpWorkerOptions): HttpPlan {
  knownKeys("the options of an HTTP worker", options, KEYS, refusePool);
  const plan = { ...HTTP_WORKER_DEFAULTS, ...options };
  const headers = new Map(headerPairs(HTTP_WORKER_DEFAULTS.headers));
  for (const [name, value] of headerPairs(plan.headers)) headers.set(name, value);
  return {
    baseUrl: parseBaseUrl(plan.baseUrl),
    timeoutMs: wholeNumber("timeoutMs", plan.timeoutMs, [1, DELAY_MS_MAX], refusePool),
    headers,
    maxRedirects: wholeNumber("maxRedirects", plan.maxRedirects, [0, REDIRECTS_MAX], refusePool),
    responseBytesMax: numberWithin(
      "responseBytesMax",
      plan.responseBytesMax,
      [0, Number.MAX_SAFE_INTEGER],
      refusePool,
    ),
    connections: wholeNumber("connections", plan.connections, [1, CONNECTIONS_MAX], refusePool),
    keepAliveMs: wholeNumber("keepAliveMs", plan.keepAliveMs, [1, DELAY_MS_MAX], refusePool),
  };
}

/**
 * Headers as pairs, their names in lower case.
 *
 * @throws FoundationError `invalid_config` where one is no text
 */
export function headerPairs(headers: HttpHeaders): [string, string][] {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers ?? {});
  return pairs.map((pair: readonly [string, string]) => {
    const [name, value] = pair;
    if (typeof name === "string" && typeof value === "string") return [name.toLowerCase(), value];
    throw refusePool("the name and the value of a header are texts", {});
  });
}

function parseBaseUrl(text: string): URL {
  if (typeof text !== "string" || !/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw refusePool("baseUrl must be an address with http:// or https:// in front", {});
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw refusePool("baseUrl must not hold a password: send an authorization header", {});
  }
  return url;
}
