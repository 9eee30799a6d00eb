import { KUBERNETES_DEFAULTS, type KubernetesOptions, Providers } from "foundation-runtime";
import { afterEach, expect, test, vi } from "vitest";
import type { Candidate } from "../../ts/distributed/discovery/provider.ts";
import { candidateOf } from "../../ts/distributed/discovery/providers/kubernetes/candidate.ts";
import { planOf } from "../../ts/distributed/discovery/providers/kubernetes/options.ts";
import { RESOURCES } from "../../ts/distributed/discovery/providers/kubernetes/resources.ts";
import { endpoint, pod, slice } from "../integration/discovery/kubernetes-objects.ts";
import { SELF } from "../integration/discovery/provider-contract.ts";

afterEach(() => vi.unstubAllEnvs());

interface Read {
  readonly candidates: readonly (Candidate | undefined)[];
  readonly notes: readonly string[];
}

function read(object: unknown, options: KubernetesOptions = {}): Read {
  const plan = planOf({ selector: "app=web", master: "10.0.0.1", ...options });
  const notes: string[] = [];
  const portName = typeof plan.port === "string" ? plan.port : undefined;
  const found = [...RESOURCES[plan.source].endpoints(object, portName)];
  const context = { self: SELF, note: (reason: string): void => void notes.push(reason) };
  return { candidates: found.map((one) => candidateOf(one, plan, context)), notes };
}

const ENDPOINTS = {
  metadata: { name: "web", namespace: "shop" },
  subsets: [
    {
      addresses: [{ ip: "10.1.2.3", hostname: "web-0", targetRef: { namespace: "shop" } }],
      notReadyAddresses: [{ ip: "10.1.2.4" }],
      ports: [
        { name: "cluster", port: 9_000, protocol: "UDP" },
        { name: "cluster", port: 7_100 },
      ],
    },
    { addresses: [{ ip: "fd00::7" }], ports: null },
  ],
};

test.each([
  ["ip", "app@10.1.2.3"],
  ["hostname", "app@web-0.web.shop.svc.cluster.local"],
  ["dns", "app@10-1-2-3.shop.pod.cluster.local"],
] as const)("a name of the mode %s, whatever the source", (mode, name) => {
  const options = { mode, basename: "app" };
  const about = { namespace: "shop" };
  const objects = {
    endpointSlices: slice("web-x", [endpoint("10.1.2.3", {}, { hostname: "web-0" })]),
    endpoints: { ...ENDPOINTS, subsets: ENDPOINTS.subsets.slice(0, 1) },
    pods: pod("web-0", { podIP: "10.1.2.3" }, about, { hostname: "web-0", subdomain: "web" }),
  };
  for (const source of ["endpointSlices", "endpoints", "pods"] as const) {
    const { candidates } = read(objects[source], { ...options, source });
    expect(candidates[0]).toEqual({ address: "10.1.2.3:7000", name });
  }
});

test("the service and the domain that were asked for are in the name", () => {
  const options = { mode: "hostname", basename: "app", serviceName: "peers" } as const;
  const named = slice("web-x", [endpoint("10.1.2.3", {}, { hostname: "web-0" })]);
  const [candidate] = read(named, { ...options, clusterDomain: "corp.example" }).candidates;
  expect(candidate?.name).toBe("app@web-0.peers.shop.svc.corp.example");
});

test("without what a name needs, or with what no name has, there is none", () => {
  const options = { mode: "hostname", basename: "app" } as const;
  const odd = endpoint("10.1.2.4", {}, { hostname: "a.b\u0000" });
  const { candidates, notes } = read(slice("web-x", [endpoint("10.1.2.3"), odd]), options);
  expect(candidates).toEqual([{ address: "10.1.2.3:7000" }, { address: "10.1.2.4:7000" }]);
  expect(notes).toEqual(["noName", "noName"]);
});

test("a port by its name, by its number, or that of this node", () => {
  const source = "endpoints";
  const addresses = (options: KubernetesOptions): (string | undefined)[] =>
    read(ENDPOINTS, { source, ...options }).candidates.map((one) => one?.address);
  expect(addresses({})).toEqual(["10.1.2.3:7000", undefined, "[fd00::7]:7000"]);
  expect(addresses({ port: 81 })).toEqual(["10.1.2.3:81", undefined, "[fd00::7]:81"]);
  expect(addresses({ port: "cluster" })).toEqual(["10.1.2.3:7100", undefined, undefined]);
  expect(read(ENDPOINTS, { source, port: "cluster" }).notes).toEqual(["notReady", "noPort"]);
  expect(addresses({ includeNotReady: true })).toHaveLength(3);
  expect(addresses({ includeNotReady: true })).toContain("10.1.2.4:7000");
});

test("a pod counts whether it is ready or not, unless it has ended or says that it does", () => {
  const source = "pods";
  const podIP = "10.1.2.3";
  const starting = { podIP, conditions: [{ type: "Ready", status: "False" }] };
  expect(read(pod("a", starting), { source }).candidates).toEqual([{ address: `${podIP}:7000` }]);
  expect(read(pod("a", starting), { source, includeNotReady: false }).notes).toEqual(["notReady"]);
  expect(read(pod("a", { podIP, phase: "Failed" }), { source }).notes).toEqual(["ended"]);
  expect(read(pod("a", {}), { source }).notes).toEqual(["noAddress"]);
  const leaving = pod("a", { podIP }, { deletionTimestamp: "2026-01-01T00:00:00Z" });
  expect(read(leaving, { source }).candidates[0]).toMatchObject({ isDraining: true });
});

test("what is no endpoint at all is left out, and nothing is thrown", () => {
  const odd = [null, 7, "x", [], {}, { metadata: 1, endpoints: 2, subsets: 3, spec: 4, status: 5 }];
  for (const source of ["endpointSlices", "endpoints", "pods"] as const) {
    for (const object of [...odd, { endpoints: odd, subsets: odd, status: { conditions: odd } }]) {
      expect(read(object, { source }).candidates.filter(Boolean)).toEqual([]);
    }
  }
});

test("in a cluster the server is where Kubernetes says", () => {
  const labelIn = (host: string, port: string): string => {
    vi.stubEnv("KUBERNETES_SERVICE_HOST", host);
    vi.stubEnv("KUBERNETES_SERVICE_PORT", port);
    return Providers.kubernetes({ selector: "app=web" }).label;
  };
  expect(labelIn("10.0.0.1", "6443")).toBe("kubernetes endpointSlices app=web at 10.0.0.1:6443");
  expect(labelIn("fd00::1", "443")).toBe("kubernetes endpointSlices app=web at [fd00::1]");
  expect(labelIn("", "")).toContain(" at kubernetes.default.svc");
});

test("the domain of the cluster may stand in the environment", () => {
  vi.stubEnv("CLUSTER_DOMAIN", "corp.example");
  const [candidate] = read(slice("a", [endpoint("10.1.2.3")]), {
    basename: "a",
    mode: "dns",
  }).candidates;
  expect(candidate?.name).toBe("a@10-1-2-3.shop.pod.corp.example");
});

const REFUSED: readonly (readonly [object, RegExp])[] = [
  [{}, /a selector or a serviceName/],
  [{ source: "pods", serviceName: "web" }, /a selector/],
  [{ selector: "" }, /selector/],
  [{ selektor: "app=web" }, /did you mean 'selector'/],
  [{ selector: "a", source: "nodes" }, /endpointSlices, endpoints, pods/],
  [{ selector: "a", mode: "srv" }, /ip, hostname, dns/],
  [{ selector: "a", namespace: "../kube-system" }, /namespace/],
  [{ selector: "a", port: 70_000 }, /from 1 to 65535/],
  [{ selector: "a", port: "Not A Port" }, /port/],
  [{ selector: "a", basename: "a@b" }, /basename/],
  [{ selector: "a", clusterDomain: "a b" }, /clusterDomain/],
  [{ selector: "a", master: "http://10.0.0.1" }, /https/],
  [{ selector: "a", master: "https://user:pass@10.0.0.1" }, /without user/],
  [{ selector: "a", master: "https://10.0.0.1/?a=b" }, /query/],
  [{ selector: "a", master: "https://" }, /host/],
  [{ selector: "a", serviceAccountPath: "" }, /path/],
  [{ selector: "a", watch: "yes" }, /watch must be true or false/],
  [{ selector: "a", pollMs: 5 }, /pollMs/],
  [{ selector: "a", watchMs: 3_600_001 }, /at most 3600000/],
  [{ selector: "a", timeoutMs: Number.NaN }, /timeoutMs/],
  [{ selector: "a", pageItems: 0 }, /pageItems/],
];

test.each(REFUSED)("%o is refused at once", (options, text) => {
  const make = (): unknown => Providers.kubernetes(options);
  expect(make).toThrow(expect.objectContaining({ code: "invalid_options" }));
  expect(make).toThrow(text);
});

test("an option that is undefined is left out", () => {
  const plan = planOf({ selector: "a", master: "h", pollMs: undefined, watch: undefined } as never);
  expect(plan).toMatchObject({ pollMs: KUBERNETES_DEFAULTS.pollMs, watch: true });
});
