import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { NamedProvider } from "./discovery-options.ts";
import type { DiscoveryStep } from "./discovery-types.ts";
import { SERVICE_ACCOUNT } from "./kubernetes-facts.ts";

/** What is looked at to choose sources. */
export interface AutoFacts {
  /** The environment of the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the cluster. */
  readonly cluster: string;
  /** Whether the node is reached from this host alone. */
  readonly isLoopback: boolean;
  /** Whether Kubernetes has given this process an account. */
  readonly hasServiceAccount: boolean;
  /** Whether the package `multicast-dns` is installed. */
  readonly hasMulticastDns: boolean;
}

/** Sources that were chosen, and how. */
export interface AutoChoice {
  readonly sources: readonly NamedProvider[];
  readonly steps: readonly DiscoveryStep[];
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false; // not there, whatever the reason
  }
}

/** Looks at this process and its host. */
export function autoFacts(cluster: string, isLoopback: boolean): AutoFacts {
  return {
    env: process.env,
    cluster,
    isLoopback,
    hasServiceAccount: existsSync(join(SERVICE_ACCOUNT, "token")),
    hasMulticastDns: isInstalled("multicast-dns"),
  };
}

interface Judged {
  /** Undefined where the source is not chosen. */
  readonly source: NamedProvider | undefined;
  readonly reason: string;
}

function environment({ env }: AutoFacts): Judged {
  const variable = "FOUNDATION_SEEDS";
  if (!env[variable]) {
    return { source: undefined, reason: `${variable} is not set; it may list addresses` };
  }
  const source = { kind: "environment", options: { variable } };
  return { source, reason: `${variable} lists addresses` };
}

function kubernetes({ env, hasServiceAccount }: AutoFacts): Judged {
  const no = (reason: string): Judged => ({ source: undefined, reason });
  if (!env["KUBERNETES_SERVICE_HOST"]) return no("KUBERNETES_SERVICE_HOST is not set: no pod");
  if (!hasServiceAccount) {
    return no(`a pod without a service account: ${SERVICE_ACCOUNT}/token is missing`);
  }
  const selector = env["FOUNDATION_KUBERNETES_SELECTOR"];
  const serviceName = env["FOUNDATION_KUBERNETES_SERVICE"];
  if (!selector && !serviceName) {
    return no(
      "a pod, but which others belong to it? Set FOUNDATION_KUBERNETES_SERVICE to the name of " +
        "their service, or FOUNDATION_KUBERNETES_SELECTOR to their labels",
    );
  }
  const options = { ...(selector && { selector }), ...(serviceName && { serviceName }) };
  const what = serviceName ? `the service ${serviceName}` : `the labels ${selector}`;
  return { source: { kind: "kubernetes", options }, reason: `a pod, and ${what} names the others` };
}

function consul({ env, cluster }: AutoFacts): Judged {
  const address = env["CONSUL_HTTP_ADDR"];
  if (!address) return { source: undefined, reason: "CONSUL_HTTP_ADDR is not set" };
  const service = env["FOUNDATION_CONSUL_SERVICE"] || cluster;
  const source = { kind: "consul", options: { address, service } };
  return { source, reason: `CONSUL_HTTP_ADDR names an agent; the service is ${service}` };
}

function etcd({ env }: AutoFacts): Judged {
  const endpoints = (env["FOUNDATION_ETCD_ENDPOINTS"] ?? "").split(",").filter(Boolean);
  if (endpoints.length === 0) {
    return { source: undefined, reason: "FOUNDATION_ETCD_ENDPOINTS is not set" };
  }
  const source = { kind: "etcd", options: { endpoints } };
  return { source, reason: "FOUNDATION_ETCD_ENDPOINTS names servers" };
}

function local({ env }: AutoFacts, isSettled: boolean): Judged {
  if (isSettled) return { source: undefined, reason: "other sources were chosen" };
  if (env["NODE_ENV"] === "production") {
    const reason = "NODE_ENV is production, where neighbours on the same host are no cluster";
    return { source: undefined, reason };
  }
  const reason = "development: nodes of this user on this host find each other";
  return { source: { kind: "local", options: {} }, reason };
}

function mdns({ env, isLoopback, hasMulticastDns }: AutoFacts, isSettled: boolean): Judged {
  const no = (reason: string): Judged => ({ source: undefined, reason });
  if (isSettled) return no("other sources were chosen");
  if (env["NODE_ENV"] === "production") return no("NODE_ENV is production");
  if (isLoopback) return no("this node listens on loopback alone, where no other host reaches it");
  if (!hasMulticastDns) return no("the package multicast-dns is not installed");
  const reason = "development: nodes of this network find each other";
  return { source: { kind: "mdns", options: {} }, reason };
}

/**
 * Chooses sources by what this process was given: addresses, Kubernetes, Consul, etcd; where none
 * of these and no production, the neighbours on this host and network.
 */
export function chooseSources(facts: AutoFacts): AutoChoice {
  const sources: NamedProvider[] = [];
  const steps: DiscoveryStep[] = [];
  const take = (step: string, { source, reason }: Judged): void => {
    steps.push({ step, isChosen: source !== undefined, reason });
    if (source !== undefined) sources.push(source);
  };
  take("environment", environment(facts));
  take("kubernetes", kubernetes(facts));
  take("consul", consul(facts));
  take("etcd", etcd(facts));
  const isSettled = sources.length > 0;
  take("local", local(facts, isSettled));
  take("mdns", mdns(facts, isSettled));
  return { sources, steps };
}
