import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DnsOptions, Providers } from "foundation-runtime";
import { afterEach, expect, test } from "vitest";
import { kubernetesName } from "../../ts/distributed/discovery/providers/dns/service-name.ts";

const INVALID = expect.objectContaining({ code: "invalid_options" });
const domainBefore = process.env["CLUSTER_DOMAIN"];

afterEach(() => {
  if (domainBefore === undefined) delete process.env["CLUSTER_DOMAIN"];
  else process.env["CLUSTER_DOMAIN"] = domainBefore;
});

test("what cannot be asked for is refused at once", () => {
  const query = "app.internal";
  const wrong: unknown[] = [
    {},
    { query, kubernetes: { service: "app" } },
    { query: "" },
    { query: "a..b" },
    { query: "a b" },
    { query: `${"a".repeat(64)}.internal` },
    { query, type: "mx" },
    { query, families: [] },
    { query, families: [5] },
    { query, resolvers: [] },
    { query, resolvers: ["ns.example"] },
    { query, resolvers: Array(9).fill("10.0.0.1") },
    { query, port: 0 },
    { query, basename: "" },
    { query, pollMs: 1 },
    { query, timeoutMs: 0 },
    { kubernetes: { service: "a.b" } },
    { kubernetes: { service: "app", namespace: "A" } },
    { kubernetes: { service: "app", clusterDomain: "cluster..local" } },
    { kubernetes: { service: "app", portName: "_node" } },
    { kubernetes: { name: "app" } },
  ];
  for (const options of wrong) {
    expect(() => Providers.dns(options as DnsOptions), JSON.stringify(options)).toThrow(INVALID);
  }
  expect(() => Providers.dns({ query, polMs: 1 } as never)).toThrow(/did you mean 'pollMs'/);
  expect(Providers.dns({ query, type: "srv" }).label).toBe("dns app.internal, srv");
});

test("the domain of a cluster is told, in the environment, or cluster.local", async () => {
  const name = { service: "app", namespace: "prod" };
  delete process.env["CLUSTER_DOMAIN"];
  expect(await kubernetesName(name)).toBe("app.prod.svc.cluster.local");
  process.env["CLUSTER_DOMAIN"] = "example.net";
  expect(await kubernetesName(name)).toBe("app.prod.svc.example.net");
  const told = { ...name, clusterDomain: "other", portName: "node" };
  expect(await kubernetesName(told)).toBe("_node._tcp.app.prod.svc.other");
});

test("the namespace is that of the service account unless it is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "foundation-namespace-"));
  const path = join(folder, "namespace");
  const name = { service: "app", clusterDomain: "x" };
  await expect(kubernetesName(name, path)).rejects.toMatchObject({ code: "discovery_failed" });
  writeFileSync(path, "blue\n");
  expect(await kubernetesName(name, path)).toBe("app.blue.svc.x");
  rmSync(folder, { recursive: true });
});
