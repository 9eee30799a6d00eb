import { checkDelay, checkKeys, checkKind } from "../../../../base/option-checks.ts";
import { type Secret, secretBytes } from "../../../../kernel/secrets.ts";
import { checkPeriod } from "../../asking.ts";
import { checkHttpUrl, checkTlsFiles, type TlsFiles } from "../../http-source.ts";

/** Nodes that write themselves into etcd. Defaults: {@link ETCD_DEFAULTS}. */
export interface EtcdOptions {
  /** Servers of one etcd cluster, asked in turn where one fails. Unit: addresses, 1 to 32. */
  readonly endpoints: readonly string[];
  /** What keys begin with, before the name of the cluster. Unit: text. Default: `foundation/`. */
  readonly prefix?: string;
  /**
   * How long the key of a node that is gone stays; it is renewed three times as often. Unit: ms,
   * 1,000 and more, rounded up to seconds. Default: 15,000.
   */
  readonly ttlMs?: number;
  /** Who this node is for etcd. Unit: name. Default: nobody, for an etcd without users. */
  readonly user?: string;
  /** The password: text, `env:NAME` or `file:PATH`, read anew each time. Default: none. */
  readonly password?: Secret;
  /** What one answer may take. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Files of connections by TLS. Unit: paths. Default: the authorities of the system. */
  readonly tls?: TlsFiles;
}

/** What the provider is unless its options say otherwise. */
export const ETCD_DEFAULTS = Object.freeze({
  prefix: "foundation/", // nobody else's
  ttlMs: 15_000, // two renewals may fail, and an election of etcd takes a second or two
  timeoutMs: 5_000, // etcd itself gives up a request after that
  tls: Object.freeze({}), // the authorities of the system
});

/** Options with their defaults, checked. */
export interface EtcdPlan extends Required<Omit<EtcdOptions, "user" | "password" | "endpoints">> {
  readonly endpoints: readonly URL[];
  readonly user: string | undefined;
  readonly password: Secret | undefined;
}

const KEYS = [...Object.keys(ETCD_DEFAULTS), "endpoints", "user", "password"];
const ENDPOINTS_MAX = 32;
const PREFIX_BYTES_MAX = 512;

/**
 * Options with their defaults, each looked at.
 *
 * @throws FoundationError `invalid_options`
 */
export function etcdPlan(options: EtcdOptions): EtcdPlan {
  checkKeys("Providers.etcd", options, KEYS);
  const { user, password, endpoints, ...rest } = options;
  const plan = { ...ETCD_DEFAULTS, ...rest };
  const isList = Array.isArray(endpoints) && endpoints.length > 0;
  checkKind("endpoints", isList && endpoints.length <= ENDPOINTS_MAX, "a list of 1 to 32");
  const isPrefix = typeof plan.prefix === "string" && plan.prefix.isWellFormed();
  checkKind("prefix", isPrefix && Buffer.byteLength(plan.prefix) <= PREFIX_BYTES_MAX, "a text");
  checkKind("ttlMs", checkDelay("ttlMs", plan.ttlMs) >= 1_000, "at least 1,000 ms");
  checkPeriod("timeoutMs", plan.timeoutMs);
  checkTlsFiles("Providers.etcd", plan.tls);
  const isPair = (user === undefined) === (password === undefined);
  checkKind("user and password", isPair, "given both or not at all");
  if (user !== undefined) checkKind("user", typeof user === "string" && user !== "", "a name");
  if (password !== undefined) secretBytes(password, "password");
  const urls = endpoints.map((endpoint) => checkHttpUrl("endpoints", endpoint));
  return { ...plan, user, password, endpoints: urls };
}
