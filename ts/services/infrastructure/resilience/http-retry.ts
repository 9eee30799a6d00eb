import { knownKeys, refuseOptions } from "../checks.ts";
import { type BackoffDelayOptions, backoffMs, planBackoff, type Random } from "./backoff.ts";
import type { RetryOptions } from "./retry.ts";

/** A status, or all from 500 on. */
export type RetryStatus = number | "5xx";

/** What is looked at of a response. */
export interface AnsweredRequest {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Which responses are worth another request. Defaults: {@link HTTP_RETRY_DEFAULTS}. */
export interface HttpRetryOptions {
  /** Statuses that are. */
  readonly statuses?: readonly RetryStatus[];
  /** Those of some methods, by their names in capitals. Default: the same for all. */
  readonly byMethod?: Readonly<Record<string, readonly RetryStatus[]>>;
  /** The delay where a server asks for one that cannot be read. Unit: ms. */
  readonly unreadableMs?: number;
}

/** Which responses are worth another request unless the options say otherwise. */
export const HTTP_RETRY_DEFAULTS = Object.freeze({
  statuses: Object.freeze([408, 409, 429, "5xx"]) as readonly RetryStatus[], // as Foundation 0.2
  unreadableMs: 1_000, // as Foundation 0.2
});

/** The delay where a server names none. */
export const HTTP_BACKOFF: Required<BackoffDelayOptions> = planBackoff({
  baseMs: 500, // as Foundation 0.2
  maxMs: 10_000,
  jitter: { kind: "range", min: 0.75, max: 1 },
});

function header({ headers }: AnsweredRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}

/** Whether a response is worth another request; what it says itself (`x-should-retry`) counts. */
export function isWorthRetrying(
  method: string,
  response: AnsweredRequest,
  options: HttpRetryOptions = {},
): boolean {
  const wish = header(response, "x-should-retry")?.toLowerCase();
  if (wish === "true") return true;
  if (wish === "false") return false;
  const statuses =
    options.byMethod?.[method.toUpperCase()] ?? options.statuses ?? HTTP_RETRY_DEFAULTS.statuses;
  const { statusCode } = response;
  return statuses.some((status) => (status === "5xx" ? statusCode >= 500 : status === statusCode));
}

/**
 * The delay that a response asks for: `retry-after-ms`, or `retry-after` in seconds or as a date of
 * any of the three forms of HTTP. Unit: ms, 0 or more; undefined where it asks for none.
 */
export function retryAfterMs(
  response: AnsweredRequest,
  wallNowMs: number,
  unreadableMs: number = HTTP_RETRY_DEFAULTS.unreadableMs,
): number | undefined {
  const ms = header(response, "retry-after-ms");
  if (ms !== undefined && /^\d+(?:\.\d+)?$/.test(ms.trim())) return Number(ms);
  const after = header(response, "retry-after")?.trim();
  if (after === undefined) return ms === undefined ? undefined : unreadableMs;
  if (/^\d+(?:\.\d+)?$/.test(after)) return Number(after) * 1_000;
  const date = parseHttpDate(after, wallNowMs);
  return date === undefined ? unreadableMs : Math.max(0, date - wallNowMs);
}

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const IMF = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC850 = /^[A-Z][a-z]+day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/**
 * A date of HTTP (RFC 9110, section 5.6.7): its own form and the two obsolete ones. Unit: ms since
 * 1970; undefined where it is none.
 */
export function parseHttpDate(text: string, wallNowMs: number): number | undefined {
  const [, ...imf] = IMF.exec(text) ?? [];
  if (imf.length > 0) return utc(imf[2], imf[1], imf[0], imf.slice(3));
  const [, ...old] = RFC850.exec(text) ?? [];
  if (old.length > 0) return utc(fullYear(Number(old[2]), wallNowMs), old[1], old[0], old.slice(3));
  const [, ...c] = ASCTIME.exec(text) ?? [];
  return c.length > 0 ? utc(c[5], c[0], c[1], c.slice(2, 5)) : undefined;
}

/** A year of two digits that would be more than 50 years ahead belongs to the century before. */
function fullYear(year: number, wallNowMs: number): number {
  const thisYear = new Date(wallNowMs).getUTCFullYear();
  const inThisCentury = thisYear - (thisYear % 100) + year;
  return inThisCentury > thisYear + 50 ? inThisCentury - 100 : inThisCentury;
}

function utc(
  year: string | number | undefined,
  month: string | undefined,
  day: string | undefined,
  time: readonly (string | undefined)[],
): number | undefined {
  const index = MONTHS.indexOf(month ?? "?") / 3;
  if (!Number.isInteger(index) || index < 0) return undefined;
  const [hours, minutes, seconds] = time.map(Number);
  const ms = Date.UTC(Number(year), index, Number(day), hours, minutes, seconds);
  return Number.isNaN(ms) ? undefined : ms;
}

/** How long to wait for a response before the next request. Unit: ms. */
export function httpRetryDelayMs(
  failures: number,
  response: AnsweredRequest,
  wallNowMs: number,
  random: Random = Math.random,
): number {
  return retryAfterMs(response, wallNowMs) ?? backoffMs(failures, HTTP_BACKOFF, random);
}

/**
 * A policy for functions that answer with a response, as those of `HttpWorker` do: by its status
 * and its headers; where they throw, errors of the network and of time are worth another attempt.
 *
 * @throws FoundationError `invalid_options`
 */
export function httpRetry(
  method: string,
  options: HttpRetryOptions = {},
  wallNow: () => number = Date.now,
): RetryOptions {
  knownKeys("the options of HTTP retry", options, ["statuses", "byMethod", "unreadableMs"]);
  if (typeof method !== "string") throw refuseOptions("method must be a text", {});
  const unreadableMs = options.unreadableMs ?? HTTP_RETRY_DEFAULTS.unreadableMs;
  return {
    backoff: HTTP_BACKOFF,
    retryOn: (result) => {
      if (result.ok) return isWorthRetrying(method, result.value as AnsweredRequest, options);
      const code: unknown = Reflect.get(Object(result.error), "code");
      return code === "network_error" || code === "timeout";
    },
    retryAfterMs: (result) =>
      result.ok
        ? retryAfterMs(result.value as AnsweredRequest, wallNow(), unreadableMs)
        : undefined,
  };
}
