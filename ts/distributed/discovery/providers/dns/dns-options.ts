import { Resolver } from "node:dns/promises";
import { checkKeys, checkKind, checkWord } from "../../../../base/option-checks.ts";
import { checkPeriod } from "../../asking.ts";
import { checkEntryOptions, ENTRY_KEYS, type EntryOptions } from "../../entries.ts";
import {
  checkKubernetesName,
  type KubernetesName,
  type KubernetesNameOptions,
} from "./service-name.ts";

/** A name that stands for the members. Defaults: {@link DNS_DEFAULTS}. */
export interface DnsOptions extends EntryOptions {
  /**
   * The whole name that is asked for, like `app.internal`; search domains and the hosts file of the
   * machine are not looked at. Default: none; either this or `kubernetes` has to be there.
   */
  readonly query?: string;
  /** The service of Kubernetes whose name is asked for. Default: none, the name is in `query`. */
  readonly kubernetes?: KubernetesNameOptions;
  /**
   * `address`: the name has the addresses themselves. `srv`: it has names of hosts with ports,
   * whose addresses are asked for in turn. Default: `address`.
   */
  readonly type?: "address" | "srv";
  /** Families of addresses that are asked for. Unit: IP version. Default: 4 and 6. */
  readonly families?: readonly (4 | 6)[];
  /**
   * Name servers, with or without port: `10.0.0.2`, `[fd00::2]:5353`. At most 8. Default: those of
   * the system.
   */
  readonly resolvers?: readonly string[];
  /** Port of every candidate. Unit: port number. Default: that of the answer, else the own one. */
  readonly port?: number;
  /** Pause between two questions. Unit: ms. Default: 5,000. */
  readonly pollMs?: number;
  /** Longest time that all of an answer may take. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
}

/** How names are asked for unless the options say otherwise. */
export const DNS_DEFAULTS = Object.freeze({
  type: "address", // what a name without ports has
  families: Object.freeze([4, 6] as const), // who has no addresses of one answers with none
  pollMs: 5_000, // as libcluster's DNSPoll
  timeoutMs: 5_000, // as resolvers of systems
});

const KEYS = [...ENTRY_KEYS, "query", "kubernetes", "resolvers", ...Object.keys(DNS_DEFAULTS)];

const RESOLVERS_MAX = 8;

/** The options of a provider, checked. */
export interface DnsPlan extends EntryOptions {
  /** The name, or what it is made of at the time of the question. */
  readonly name: string | KubernetesName;
  readonly type: "address" | "srv";
  readonly families: readonly (4 | 6)[];
  readonly resolvers: readonly string[] | undefined;
  readonly pollMs: number;
  readonly timeoutMs: number;
}

/** Checks options and adds defaults. */
export function planDns(options: DnsOptions): DnsPlan {
  const where = "Providers.dns";
  checkKeys(where, options, KEYS);
  checkEntryOptions(where, options);
  const { port, basename, resolvers } = options;
  const { type, families, pollMs, timeoutMs } = { ...DNS_DEFAULTS, ...options };
  const isList = Array.isArray(families) && families.length > 0;
  checkKind(`families of ${where}`, isList, "a list of 4 and 6");
  for (const one of families) checkKind(`families of ${where}`, one === 4 || one === 6, "4 and 6");
  checkResolvers(where, resolvers);
  return {
    name: nameOf(where, options),
    type: checkWord(`type of ${where}`, type, ["address", "srv"]),
    families: [...new Set(families)],
    resolvers: resolvers && [...resolvers],
    pollMs: checkPeriod(`pollMs of ${where}`, pollMs),
    timeoutMs: checkPeriod(`timeoutMs of ${where}`, timeoutMs),
    ...(port !== undefined && { port }),
    ...(basename !== undefined && { basename }),
  };
}

function nameOf(where: string, { query, kubernetes }: DnsOptions): string | KubernetesName {
  const isOne = (query === undefined) !== (kubernetes === undefined);
  checkKind(`${where}`, isOne, "told either query or kubernetes");
  if (kubernetes !== undefined) return checkKubernetesName(kubernetes);
  checkKind(`query of ${where}`, isDomain(query), "the name of a domain");
  return query as string;
}

/** Whether a name can be asked for: labels of 1 to 63 visible bytes, 253 in all. */
export function isDomain(name: unknown): boolean {
  if (typeof name !== "string" || name.length > 254) return false;
  return name
    .replace(/\.$/, "")
    .split(".")
    .every((label) => /^[!-~]{1,63}$/.test(label));
}

function checkResolvers(where: string, resolvers: readonly string[] | undefined): void {
  if (resolvers === undefined) return;
  const isList = Array.isArray(resolvers) && resolvers.length > 0;
  const isRight = isList && resolvers.length <= RESOLVERS_MAX && areServers(resolvers);
  const kind = `a list of 1 to ${RESOLVERS_MAX} IP addresses, with or without port`;
  checkKind(`resolvers of ${where}`, isRight, kind);
}

function areServers(resolvers: readonly string[]): boolean {
  try {
    new Resolver().setServers(resolvers);
    return true;
  } catch {
    // What is wrong with them is told by whoever asks.
    return false;
  }
}
