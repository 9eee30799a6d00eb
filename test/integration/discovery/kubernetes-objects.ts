import type { KubernetesSource } from "foundation-runtime";

/** An object as the API server keeps it. */
export interface KubernetesObject {
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** The label that the tests look for. */
export const SELECTOR = "app=web";
/** Where the objects of the tests are. */
export const NAMESPACE = "shop";

const labels = { app: "web" };

function metadata(name: string, more: object = {}): KubernetesObject["metadata"] {
  return { name, namespace: NAMESPACE, labels, uid: `uid-${name}`, ...more };
}

/** Addresses by their port. */
function byPort(addresses: readonly string[]): Map<number, string[]> {
  const ports = new Map<number, string[]>();
  for (const address of addresses) {
    const at = address.lastIndexOf(":");
    const port = Number(address.slice(at + 1));
    ports.set(port, [...(ports.get(port) ?? []), address.slice(0, at)]);
  }
  return ports;
}

/** An EndpointSlice of these endpoints. */
export function slice(
  name: string,
  endpoints: readonly object[] | null,
  ports: readonly object[] | null = [{ name: "cluster", protocol: "TCP", port: 7_000 }],
): KubernetesObject {
  const marks = { ...labels, "kubernetes.io/service-name": "web" };
  const about = metadata(name, { labels: marks });
  return { metadata: about, addressType: "IPv4", endpoints, ports };
}

/** One endpoint of a slice. */
export function endpoint(ip: string, conditions: object = {}, more: object = {}): object {
  return {
    addresses: [ip],
    conditions: { ready: true, serving: true, terminating: false, ...conditions },
    nodeName: "node-1",
    targetRef: { kind: "Pod", namespace: NAMESPACE, name: `pod-${ip}` },
    ...more,
  };
}

/** A pod that runs and is ready, unless said otherwise. */
export function pod(name: string, status: object, about: object = {}, spec: object = {}) {
  const ports = [{ name: "cluster", containerPort: 7_000, protocol: "TCP" }];
  return {
    metadata: metadata(name, about),
    spec: { containers: [{ name: "web", image: "web", ports }], ...spec },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }], ...status },
  };
}

/** Objects of that source that tell of exactly these addresses. */
export function objectsFor(
  source: KubernetesSource,
  addresses: readonly string[],
): readonly KubernetesObject[] {
  const groups = [...byPort(addresses)];
  if (source === "endpointSlices") {
    return groups.map(([port, ips]) =>
      slice(
        `web-${port}`,
        ips.map((ip) => endpoint(ip)),
        [{ name: "cluster", port }],
      ),
    );
  }
  if (source === "endpoints") {
    const subsets = groups.map(([port, ips]) => ({
      addresses: ips.map((ip) => ({ ip, targetRef: { kind: "Pod", namespace: NAMESPACE } })),
      ports: [{ name: "cluster", port, protocol: "TCP" }],
    }));
    return [{ metadata: metadata("web"), subsets }];
  }
  return groups.flatMap(([containerPort, ips]) =>
    ips.map((podIP) => {
      const ports = [{ name: "cluster", containerPort }];
      return pod(`web-${podIP}`, { podIP }, {}, { containers: [{ name: "web", ports }] });
    }),
  );
}

/** Objects that no node can be reached by, whatever the source. */
export function poisonFor(source: KubernetesSource): readonly KubernetesObject[] {
  const odd = ["", "10.1.0.300", "web\u0000\u001b[2J", "fe80::1%eth0", "пример", "10.1.0.9:80"];
  if (source === "endpointSlices") {
    const bad = odd.map((ip) => endpoint(ip, {}, { hostname: "\u202e\n" }));
    const unready = endpoint("10.1.0.7", { ready: false });
    return [
      slice("poison", [...bad, unready, {}, null as never, { addresses: "10.1.0.8" }]),
      slice("portless", [endpoint("10.1.0.9")], [{ name: "cluster", port: 70_000 }]),
      slice("empty", null, null),
    ];
  }
  if (source === "endpoints") {
    const ports = [{ name: "cluster", port: 7_000 }];
    return [
      { metadata: metadata("poison"), subsets: [{ addresses: odd.map((ip) => ({ ip })), ports }] },
      {
        metadata: metadata("later"),
        subsets: [{ notReadyAddresses: [{ ip: "10.1.0.7" }], ports }],
      },
      { metadata: metadata("empty"), subsets: null },
    ];
  }
  return [
    ...odd.map((podIP, at) => pod(`poison-${at}`, { podIP })),
    pod("ended", { podIP: "10.1.0.7", phase: "Succeeded" }),
    pod("pending", { phase: "Pending" }),
  ];
}
