import { checkDelay, checkKeys, checkKind } from "../../../../base/option-checks.ts";
import { type Secret, secretBytes } from "../../../../kernel/secrets.ts";
import { checkPeriod } from "../../asking.ts";
import { checkPort } from "../../entries.ts";
import { checkHttpUrl, checkTlsFiles, type TlsFiles } from "../../http-source.ts";

/** Nodes that are instances of a service in Consul. Defaults: {@link CONSUL_DEFAULTS}. */
export interface ConsulOptions {
  /** The service whose instances the nodes are. Unit: name. */
  readonly service: string;
  /**
   * The agent of this machine. Unit: address. Default: the environment's `CONSUL_HTTP_ADDR`, or
   * http://127.0.0.1:8500.
   */
  readonly address?: string;
  /**
   * Proves the right to read and register: text, `env:NAME` or `file:PATH`, read for each request.
   * Unit: token. Default: the environment's `CONSUL_HTTP_TOKEN`, else none.
   */
  readonly token?: Secret;
  /** Where instances are looked for. Unit: name. Default: the datacenter of the agent. */
  readonly datacenter?: string;
  /** Only instances with this tag; this node registers with it. Unit: tag. Default: none. */
  readonly tag?: string;
  /** Leaves out instances with a check that does not pass. Unit: switch. Default: true. */
  readonly passingOnly?: boolean;
  /** Whether this node registers itself with the agent. Unit: switch. Default: true. */
  readonly register?: boolean;
  /**
   * How long a node that says nothing passes; it says so three times as often. Unit: ms, 1,000 and
   * more. Default: 15,000.
   */
  readonly ttlMs?: number;
  /**
   * How long an instance that does not pass stays registered. Unit: ms; Consul looks once in a
   * minute. Default: 60,000.
   */
  readonly deregisterAfterMs?: number;
  /** Port of instances without one. Unit: port number. Default: the port of the node itself. */
  readonly port?: number;
  /**
   * How long the agent holds a question while nothing changes. Unit: ms, at most 600,000.
   * Default: 60,000.
   */
  readonly waitMs?: number;
  /** What an answer may take beyond that. Unit: ms. Default: 10,000. */
  readonly timeoutMs?: number;
  /** Files of connections by TLS. Unit: paths. Default: the authorities of the system. */
  readonly tls?: TlsFiles;
}

/** What the provider is unless its options say otherwise. */
export const CONSUL_DEFAULTS = Object.freeze({
  passingOnly: true, // who does not pass is not there or not well
  register: true, // else some agent's configuration has to name every node
  ttlMs: 15_000, // two reports may fail
  deregisterAfterMs: 60_000, // Consul's shortest
  waitMs: 60_000, // a connection that died unseen is noticed after as long
  timeoutMs: 10_000, // an agent waits 7 s for a new leader; one without says so after 8 to 17 s
  tls: Object.freeze({}), // the authorities of the system
});

type Bare = "token" | "datacenter" | "tag" | "port";

/** Options with their defaults, checked. */
export interface ConsulPlan
  extends Required<Omit<ConsulOptions, Bare | "address">>,
    Pick<ConsulOptions, Bare> {
  readonly address: URL;
}

const KEYS = "service address token datacenter tag port".split(" ");
const WAIT_MS_MAX = 600_000;

/**
 * Options with their defaults, each looked at.
 *
 * @throws FoundationError `invalid_options`
 */
export function consulPlan(options: ConsulOptions): ConsulPlan {
  checkKeys("Providers.consul", options, [...Object.keys(CONSUL_DEFAULTS), ...KEYS]);
  const plan = { ...CONSUL_DEFAULTS, ...options };
  checkKind("service", isName(plan.service), "the name of a service");
  for (const key of ["datacenter", "tag"] as const) {
    if (plan[key] !== undefined) checkKind(key, isName(plan[key]), "a name of 1 to 128 characters");
  }
  for (const key of ["passingOnly", "register"] as const) {
    checkKind(key, typeof plan[key] === "boolean", "true or false");
  }
  checkKind("ttlMs", checkDelay("ttlMs", plan.ttlMs) >= 1_000, "at least 1,000 ms");
  checkPeriod("deregisterAfterMs", plan.deregisterAfterMs);
  checkKind("waitMs", checkPeriod("waitMs", plan.waitMs) <= WAIT_MS_MAX, "at most 600,000 ms");
  checkPeriod("timeoutMs", plan.timeoutMs);
  if (plan.port !== undefined) checkPort("port", plan.port);
  if (plan.token !== undefined) secretBytes(plan.token, "token");
  checkTlsFiles("Providers.consul", plan.tls);
  return { ...plan, address: agentAddress(plan.address) };
}

function isName(text: unknown): boolean {
  return typeof text === "string" && /^[^\s\p{Cc}]{1,128}$/u.test(text);
}

/** Consul's own variable names the agent with or without a scheme. */
function agentAddress(given: string | undefined): URL {
  const text = given ?? (process.env["CONSUL_HTTP_ADDR"] || "http://127.0.0.1:8500");
  return checkHttpUrl("address", /^[a-z]+:\/\//.test(text) ? text : `http://${text}`);
}

/** The token as it is now; none where there is none. */
export function consulToken({ token }: ConsulPlan): string | undefined {
  if (token !== undefined) return secretBytes(token, "token").toString().trim();
  return process.env["CONSUL_HTTP_TOKEN"] || undefined;
}
