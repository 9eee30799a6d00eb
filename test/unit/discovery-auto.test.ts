import { describe, expect, test } from "vitest";
import { type AutoFacts, chooseSources } from "../../ts/distributed/discovery/auto.ts";
import { Providers } from "../../ts/distributed/discovery/providers.ts";

const BARE: AutoFacts = {
  env: {},
  cluster: "shop",
  isLoopback: false,
  hasServiceAccount: false,
  hasMulticastDns: false,
};
const POD = { KUBERNETES_SERVICE_HOST: "10.96.0.1" };

function kinds(facts: Partial<AutoFacts>): readonly string[] {
  return chooseSources({ ...BARE, ...facts }).sources.map(({ kind }) => kind);
}

function reasonOf(step: string, facts: Partial<AutoFacts>): string {
  const found = chooseSources({ ...BARE, ...facts }).steps.find((one) => one.step === step);
  return found?.reason ?? "";
}

describe("discovery: auto", () => {
  test("takes the neighbours in development, and says why nothing else", () => {
    expect(kinds({})).toEqual(["local"]);
    expect(kinds({ hasMulticastDns: true })).toEqual(["local", "mdns"]);
    expect(kinds({ hasMulticastDns: true, isLoopback: true })).toEqual(["local"]);
    expect(reasonOf("kubernetes", {})).toMatch(/no pod/);
    expect(reasonOf("mdns", {})).toMatch(/not installed/);
  });

  test("takes nobody in production without a word of where the others are", () => {
    expect(kinds({ env: { NODE_ENV: "production" }, hasMulticastDns: true })).toEqual([]);
  });

  test("takes what the process was given, and then no neighbours", () => {
    const env = { FOUNDATION_SEEDS: "10.0.0.7:7000", CONSUL_HTTP_ADDR: "127.0.0.1:8500" };
    expect(kinds({ env })).toEqual(["environment", "consul"]);
    const { sources } = chooseSources({ ...BARE, env });
    expect(sources[1]?.options).toMatchObject({ service: "shop" });
    expect(reasonOf("local", { env })).toMatch(/other sources/);
    const FOUNDATION_ETCD_ENDPOINTS = "http://a:2379,http://b:2379";
    const etcd = chooseSources({ ...BARE, env: { FOUNDATION_ETCD_ENDPOINTS } });
    expect(etcd.sources).toEqual([
      { kind: "etcd", options: { endpoints: ["http://a:2379", "http://b:2379"] } },
    ]);
  });

  test("takes Kubernetes where it is known which pods belong together", () => {
    const service = { ...POD, FOUNDATION_KUBERNETES_SERVICE: "web" };
    expect(kinds({ env: service, hasServiceAccount: true })).toEqual(["kubernetes"]);
    expect(reasonOf("kubernetes", { env: service })).toMatch(/token is missing/);
    const pod = { env: POD, hasServiceAccount: true };
    expect(reasonOf("kubernetes", pod)).toMatch(/Set FOUNDATION_KUBERNETES_SERVICE/);
    const labels = { ...POD, FOUNDATION_KUBERNETES_SELECTOR: "app=web" };
    const { sources } = chooseSources({ ...BARE, env: labels, hasServiceAccount: true });
    expect(sources).toEqual([{ kind: "kubernetes", options: { selector: "app=web" } }]);
  });

  test("chooses only what there is, with options that it takes", () => {
    const env = {
      ...POD,
      FOUNDATION_SEEDS: "10.0.0.7:7000",
      FOUNDATION_KUBERNETES_SERVICE: "web",
      CONSUL_HTTP_ADDR: "127.0.0.1:8500",
      FOUNDATION_ETCD_ENDPOINTS: "http://127.0.0.1:2379",
    };
    const given = chooseSources({ ...BARE, env, hasServiceAccount: true }).sources;
    const neighbours = chooseSources({ ...BARE, hasMulticastDns: true }).sources;
    const made = [...given, ...neighbours].map(({ kind, options }) => {
      return (Providers[kind as keyof typeof Providers] as (o: never) => { kind: string })(
        options as never,
      ).kind;
    });
    expect(made).toEqual(["environment", "kubernetes", "consul", "etcd", "local", "mdns"]);
  });
});
