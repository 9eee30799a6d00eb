#!/usr/bin/env node
// By hand: node test/servers/record-kubernetes.mjs PATH_OF_KUBE_APISERVER
//
// Starts that kube-apiserver with an etcd, makes objects through its API, has Providers.kubernetes
// look for them, and writes what both said to test/fixtures/kubernetes/, which CI serves. How the
// server is built is in docs/testing.md.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Providers } from "foundation-runtime";
import { ready } from "./child-processes.mjs";
import { KubernetesCluster } from "./kubernetes-cluster.mjs";
import { RecordedRun } from "./recorded-run.mjs";
import { RecordingProxy } from "./recording-proxy.mjs";

const SPACE = "/api/v1/namespaces/shop";
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";
const RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop";
const FIXTURES = fileURLToPath(new URL("../fixtures/kubernetes/", import.meta.url));
const labels = { app: "web" };
const SELF = {
  name: "self",
  cluster: "shop",
  address: "10.9.9.9:7000",
  host: "10.9.9.9",
  port: 7_000,
};

const [program] = process.argv.slice(2);
assert.ok(program, "which kube-apiserver?");
const cluster = new KubernetesCluster(program);
const account = mkdtempSync(join(tmpdir(), "service-account-"));
const scenes = [];

/** One run of the provider through the proxy, while `act` changes what is there. */
async function scene(title, options, act) {
  const proxy = new RecordingProxy({ port: cluster.port, ca: cluster.authority.certificate });
  await proxy.listen();
  writeFileSync(join(account, "ca.crt"), proxy.certificate);
  const provider = Providers.kubernetes({
    ...{ master: proxy.host, serviceAccountPath: account, selector: "app=web" },
    ...options,
  });
  const run = new RecordedRun(title, provider, SELF);
  await act(run, proxy);
  await run.stop();
  proxy.close();
  const failure = run.failure && {
    ...run.failure,
    message: run.failure.message.replace(proxy.host, "HOST"),
  };
  scenes.push({ title, options, exchanges: proxy.take(), last: run.sets.at(-1), failure });
  process.stdout.write(`recorded: ${title}\n`);
}

function slice(name, endpoints) {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, labels: { ...labels, "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ name: "cluster", port: 7_100, protocol: "TCP" }],
    endpoints: endpoints.map(([ip, conditions]) => ({ addresses: [ip], conditions })),
  };
}

async function setUp() {
  await cluster.must("POST", "/api/v1/namespaces", { metadata: { name: "shop" } });
  await makeAccount();
  const ready = { ready: true };
  const ending = { ready: false, serving: true, terminating: true };
  const lists = [[["10.1.0.1", ready]], [["10.1.0.2", ending]], [["10.1.0.3", ready]], []];
  for (const [at, list] of lists.entries()) {
    await cluster.must("POST", SLICES, slice(`web-${at}`, list));
  }
  await cluster.must("POST", `${SPACE}/endpoints`, {
    metadata: { name: "web", labels },
    subsets: [
      {
        addresses: [{ ip: "10.1.0.1", hostname: "web-0" }],
        notReadyAddresses: [{ ip: "10.1.0.2" }],
        ports: [{ name: "cluster", port: 7_100 }],
      },
    ],
  });
  await makePod("web-0", "10.1.0.1");
  await makePod("web-1", "10.1.0.2");
  await cluster.must("DELETE", `${SPACE}/pods/web-1`);
}

async function makeAccount() {
  const rights = { apiGroups: ["", "discovery.k8s.io"], verbs: ["get", "list", "watch"] };
  const rules = [{ ...rights, resources: ["endpoints", "pods", "endpointslices"] }];
  await cluster.must("POST", `${SPACE}/serviceaccounts`, { metadata: { name: "web" } });
  await cluster.must("POST", `${RBAC}/roles`, { metadata: { name: "peers" }, rules });
  await cluster.must("POST", `${RBAC}/rolebindings`, {
    metadata: { name: "peers" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "peers" },
    subjects: [{ kind: "ServiceAccount", name: "web", namespace: "shop" }],
  });
  const { status } = await cluster.must("POST", `${SPACE}/serviceaccounts/web/token`, {});
  writeFileSync(join(account, "token"), status.token);
  writeFileSync(join(account, "namespace"), "shop\n");
}

/** Bound to a node that does not exist, so that its deletion waits for that node. */
async function makePod(name, podIP) {
  const ports = [{ name: "cluster", containerPort: 7_100 }];
  const containers = [{ name: "web", image: "web", ports }];
  const spec = { nodeName: "node-1", hostname: name, subdomain: "web", containers };
  await cluster.must("POST", `${SPACE}/pods`, { metadata: { name, labels }, spec });
  const conditions = [{ type: "Ready", status: "True" }];
  const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions };
  const type = "application/merge-patch+json";
  await cluster.must("PATCH", `${SPACE}/pods/${name}/status`, { status }, type);
}

/** The server sends one before the time of a watch is over. */
function hasBookmark(proxy) {
  return () => proxy.exchanges.some(({ body }) => body.includes('"BOOKMARK"'));
}

/** Pages, changes, the bookmark before a watch ends, and the watch after it. */
async function recordSlices() {
  const options = { pageItems: 2, watchMs: 4_000, port: "cluster" };
  await scene("slices in pages, changes, a bookmark", options, async (run, proxy) => {
    await run.told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.3:7100"]);
    await run.until("a watch", () => proxy.exchanges.at(-1)?.path.includes("watch=true"));
    await cluster.must("PUT", `${SLICES}/web-3`, slice("web-3", [["10.1.0.4", { ready: true }]]));
    await run.told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.3:7100", "10.1.0.4:7100"]);
    await cluster.must("DELETE", `${SLICES}/web-2`);
    await run.told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.4:7100"]);
    // Nothing for this watch, but the version goes on: the bookmark tells of that.
    const other = { ...slice("other", []), metadata: { name: "other", labels: { app: "other" } } };
    const { metadata } = await cluster.must("POST", SLICES, other);
    await run.until("a bookmark", hasBookmark(proxy));
    const watches = () => proxy.exchanges.filter(({ path }) => path.includes("watch="));
    await run.until("a second watch", () => watches().length === 2);
    assert.ok(watches()[1].path.includes(`resourceVersion=${metadata.resourceVersion}&`));
    await cluster.must("POST", SLICES, slice("web-5", [["10.1.0.5", { ready: true }]]));
    await run.told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.4:7100", "10.1.0.5:7100"]);
  });
}

async function recordOthers() {
  const hosts = { basename: "app", mode: "hostname", port: "cluster", watchMs: 4_000 };
  const isWatching = (proxy) => () => proxy.exchanges[1]?.status === 200;
  const endpoints = { ...hosts, source: "endpoints" };
  await scene("endpoints by host name", endpoints, async (run, proxy) => {
    await run.told(["10.1.0.1:7100"]);
    await run.until("a watch", isWatching(proxy));
    const subsets = [
      { addresses: [{ ip: "10.1.0.2" }], ports: [{ name: "cluster", port: 7_100 }] },
    ];
    const metadata = { name: "web", labels };
    await cluster.must("PUT", `${SPACE}/endpoints/web`, { metadata, subsets });
    await run.told(["10.1.0.2:7100"]);
    await run.until("a bookmark", hasBookmark(proxy));
  });
  const cached = { ...hosts, source: "pods", useCachedResources: true };
  await scene("pods, one of them ending, from the cache", cached, async (run, proxy) => {
    await run.told(["10.1.0.1:7100", "10.1.0.2:7100"]);
    await run.until("a watch", isWatching(proxy));
    await makePod("web-2", "10.1.0.3");
    await run.told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.3:7100"]);
    await run.until("a bookmark", hasBookmark(proxy));
  });
}

const FOUR = ["10.1.0.1:7000", "10.1.0.2:7000", "10.1.0.4:7000", "10.1.0.5:7000"];
const TWO = ["10.1.0.2:7000", "10.1.0.5:7000"];

/** Two slices go between two watches, and then `forgets` has nobody know how. */
async function changedBetween(run, proxy, forgets) {
  await run.told(FOUR);
  await run.until("a watch", () => proxy.exchanges[1]?.status === 200);
  const release = proxy.holdAfter(0);
  proxy.end();
  await run.until("the next watch", () => proxy.exchanges[2]);
  await cluster.must("DELETE", `${SLICES}/web-0`);
  await cluster.must("DELETE", `${SLICES}/web-3`);
  await forgets();
  release();
  await run.told(TWO);
}

/** Between two watches everything changes, and the server forgets how: it keeps that in memory. */
async function recordRestart() {
  const patient = { timeoutMs: 120_000 }; // a restart takes a while
  await scene("410 of a server that began anew", patient, async (run, proxy) =>
    changedBetween(run, proxy, restart),
  );
}

async function restart(flags) {
  await cluster.stopServer();
  await cluster.startServer(flags);
}

/** The same of etcd, which the server asks where it keeps nothing itself. */
async function recordCompaction() {
  await restart(["--watch-cache=false"]);
  await cluster.must("POST", SLICES, slice("web-0", [["10.1.0.1", { ready: true }]]));
  await cluster.must("POST", SLICES, slice("web-3", [["10.1.0.4", { ready: true }]]));
  await scene("410 of a watch after a compaction", {}, async (run, proxy) =>
    changedBetween(run, proxy, async () => cluster.compact()),
  );
  await scene("410 of a page after a compaction", { pageItems: 1 }, async (run, proxy) => {
    // Held from here on: the first question cannot have been answered yet.
    const release = proxy.holdAfter(1);
    await run.until("the next page", () => proxy.exchanges[1]);
    await cluster.must("POST", SLICES, slice("web-6", [["10.1.0.6", { ready: true }]]));
    await cluster.compact();
    release();
    await run.told([...TWO, "10.1.0.6:7000"]);
    await run.until("a watch", () => proxy.exchanges.at(-1)?.path.includes("watch=true"));
  });
}

async function recordRefusals() {
  const others = { namespace: "default" };
  await scene("403 in a namespace of others", others, async (run) => run.ended);
  await scene("401 after the account is gone", {}, async (run, proxy) => {
    await run.until("a watch", () => proxy.exchanges[1]?.status === 200);
    await cluster.must("DELETE", `${SPACE}/serviceaccounts/web`);
    // The server takes a token that it has seen for some seconds more, and watches go on.
    const token = readFileSync(join(account, "token"), "utf8");
    const look = async () => cluster.call("GET", SLICES, undefined, undefined, token);
    await ready("401", async () => (await look()).status === 401);
    proxy.end();
    await run.ended;
  });
}

try {
  await cluster.start();
  await setUp();
  await recordSlices();
  await recordOthers();
  await recordRestart();
  await recordCompaction();
  await recordRefusals();
  const versions = await cluster.versions();
  mkdirSync(FIXTURES, { recursive: true });
  const file = join(FIXTURES, `kube-apiserver-${versions.kubeApiserver}.json`);
  writeFileSync(file, `${JSON.stringify({ versions, scenes }, undefined, 2)}\n`);
  process.stdout.write(`${file}: ${scenes.length} scenes\n`);
} finally {
  await cluster.close();
  rmSync(account, { recursive: true, force: true });
}
