#!/usr/bin/env node
// By hand: node test/servers/record-kubernetes.mjs PATH_OF_KUBE_APISERVER
//
// Starts that kube-apiserver with an etcd, makes objects through its API, has Providers.kubernetes
// look for them, and writes what both said to test/fixtures/kubernetes/, which CI serves. The server
// is built by `cd test/servers/kube-apiserver && go build -o PATH .`, with Go 1.26.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Providers } from "foundation-runtime";
import { KubernetesCluster } from "./kubernetes-cluster.mjs";
import { RecordingProxy } from "./recording-proxy.mjs";

const SPACE = "/api/v1/namespaces/shop";
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";
const RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop";
const FIXTURES = fileURLToPath(new URL("../fixtures/kubernetes/", import.meta.url));
const labels = { app: "web" };
const SELF = { name: "self", cluster: "shop", address: "10.9.9.9:7000", host: "10.9.9.9" };

const [program] = process.argv.slice(2);
assert.ok(program, "which kube-apiserver?");
const cluster = new KubernetesCluster(program);
const account = mkdtempSync(join(tmpdir(), "service-account-"));
const scenes = [];

/** One run of the provider through the proxy; `act` gets `told`, which waits for what it tells of. */
async function scene(title, options, act) {
  const proxy = new RecordingProxy({ port: cluster.port, ca: cluster.authority.certificate });
  await proxy.listen();
  writeFileSync(join(account, "ca.crt"), proxy.certificate);
  const provider = Providers.kubernetes({
    ...{ master: proxy.master, serviceAccountPath: account, selector: "app=web" },
    ...options,
  });
  const abort = new AbortController();
  const sets = [];
  let failure;
  const ended = (async () => {
    const context = {
      self: { ...SELF, port: 7000 },
      signal: abort.signal,
      clock: {
        now: () => performance.now(),
        wallNow: () => Date.now(),
        after: (delayMs, run) => clearTimeout.bind(undefined, setTimeout(run, delayMs)),
      },
      random: () => 0.5,
      note: () => {},
    };
    for await (const set of provider.candidates(context)) sets.push(set);
  })().catch((thrown) => {
    failure = { code: thrown.code, message: thrown.message.replace(proxy.master, "MASTER") };
  });
  const addressesOf = (set) => (set?.candidates ?? []).map(({ address }) => address).sort();
  const until = async (what, isSo) => {
    for (let tries = 0; tries < 300 && !isSo(); tries++) await pause(100);
    assert.ok(isSo(), `${title}: ${what}: ${JSON.stringify({ sets, failure })}`);
  };
  const told = (addresses) =>
    until(addresses.join(), () => addressesOf(sets.at(-1)).join() === addresses.join());
  await act({ told, until, proxy, ended });
  abort.abort();
  await ended;
  proxy.close();
  scenes.push({ title, options, exchanges: proxy.take(), last: sets.at(-1), failure });
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

/** Pages, changes, the bookmark before a watch ends, and the watch after it. */
async function recordSlices() {
  const options = { pageItems: 2, watchMs: 4_000, port: "cluster" };
  await scene("slices in pages, changes, a bookmark", options, async ({ told, until, proxy }) => {
    await told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.3:7100"]);
    await until("a watch", () => proxy.exchanges.at(-1)?.path.includes("watch=true"));
    await cluster.must("PUT", `${SLICES}/web-3`, slice("web-3", [["10.1.0.4", { ready: true }]]));
    await told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.3:7100", "10.1.0.4:7100"]);
    await cluster.must("DELETE", `${SLICES}/web-2`);
    await told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.4:7100"]);
    const bodies = () => proxy.exchanges.map(({ body }) => body).join("");
    await until("a bookmark", () => bodies().includes('"BOOKMARK"'));
    const watches = () => proxy.exchanges.filter(({ path }) => path.includes("watch="));
    await until("a second watch", () => watches().length === 2);
    await cluster.must("POST", SLICES, slice("web-5", [["10.1.0.5", { ready: true }]]));
    await told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.4:7100", "10.1.0.5:7100"]);
  });
}

async function recordOthers() {
  const hosts = { basename: "app", mode: "hostname", port: "cluster" };
  const endpoints = { ...hosts, source: "endpoints" };
  await scene("endpoints by host name", endpoints, async ({ told, until, proxy }) => {
    await told(["10.1.0.1:7100"]);
    await until("a watch", () => proxy.exchanges.at(-1)?.status === 200 && proxy.exchanges[1]);
    const subsets = [
      { addresses: [{ ip: "10.1.0.2" }], ports: [{ name: "cluster", port: 7_100 }] },
    ];
    await cluster.must("PUT", `${SPACE}/endpoints/web`, {
      metadata: { name: "web", labels },
      subsets,
    });
    await told(["10.1.0.2:7100"]);
  });
  const cached = { ...hosts, source: "pods", useCachedResources: true };
  await scene(
    "pods, one of them ending, from the cache",
    cached,
    async ({ told, until, proxy }) => {
      await told(["10.1.0.1:7100", "10.1.0.2:7100"]);
      await until("a watch", () => proxy.exchanges[1]?.status === 200);
      await makePod("web-2", "10.1.0.3");
      await told(["10.1.0.1:7100", "10.1.0.2:7100", "10.1.0.3:7100"]);
    },
  );
}

/** Between two watches everything changes and etcd forgets how. */
async function recordGone() {
  await cluster.stopServer();
  // The cache of the server would remember; without it etcd itself is asked.
  await cluster.startServer(["--watch-cache=false"]);
  await scene("410 after a compaction", {}, async ({ told, until, proxy }) => {
    await told(["10.1.0.1:7000", "10.1.0.2:7000", "10.1.0.4:7000", "10.1.0.5:7000"]);
    await until("a watch", () => proxy.exchanges[1]?.status === 200);
    const release = proxy.endAndHold();
    await until("the next watch", () => proxy.exchanges[2]);
    await cluster.must("DELETE", `${SLICES}/web-0`);
    await cluster.must("DELETE", `${SLICES}/web-3`);
    await cluster.compact();
    release();
    await told(["10.1.0.2:7000", "10.1.0.5:7000"]);
  });
}

async function recordRefusals() {
  await scene("403 in a namespace of others", { namespace: "default" }, async ({ ended }) => ended);
  await cluster.must("DELETE", `${SPACE}/serviceaccounts/web`);
  await scene("401 after the account is gone", {}, async ({ ended }) => ended);
}

try {
  await cluster.start();
  await setUp();
  await recordSlices();
  await recordOthers();
  await recordGone();
  await recordRefusals();
  const versions = await cluster.versions();
  mkdirSync(FIXTURES, { recursive: true });
  const file = join(FIXTURES, `kube-apiserver-${versions.kubeApiserver.split("-")[0]}.json`);
  writeFileSync(file, `${JSON.stringify({ versions, scenes }, undefined, 2)}\n`);
  process.stdout.write(`${file}: ${scenes.length} scenes\n`);
} finally {
  await cluster.close();
  rmSync(account, { recursive: true, force: true });
}
