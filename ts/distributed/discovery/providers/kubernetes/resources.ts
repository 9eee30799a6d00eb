import { at, listAt, textAt } from "../../lines.ts";
import type { KubernetesSource } from "./options.ts";

/** One address, as the objects of any source tell of it. */
export interface Endpoint {
  readonly ip: unknown;
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** A pod that has ended keeps its address. */
  readonly isEnded: boolean;
  readonly hostname: string | undefined;
  readonly namespace: string | undefined;
  readonly service: string | undefined;
  /** The port of the name that was asked for. */
  readonly port: unknown;
}

/** How objects of a source are asked for and read. */
export interface Resource {
  /** Name of the resource in the rights of a service account. */
  readonly plural: string;
  /** Kind of a list of them. */
  readonly listKind: string;
  /** Path of the API group. */
  readonly group: string;
  /** Query that picks those of a service. */
  ofService(service: string): Readonly<Record<string, string>>;
  /** What an object tells of. */
  endpoints(object: unknown, portName: string | undefined): Iterable<Endpoint>;
}

const SERVICE_LABEL = "kubernetes.io/service-name";

/** The sources of candidates. */
export const RESOURCES: Readonly<Record<KubernetesSource, Resource>> = Object.freeze({
  endpointSlices: {
    plural: "endpointslices",
    listKind: "EndpointSliceList",
    group: "/apis/discovery.k8s.io/v1",
    ofService: (service) => ({ labelSelector: `${SERVICE_LABEL}=${service}` }),
    endpoints: ofSlice,
  },
  endpoints: {
    plural: "endpoints",
    listKind: "EndpointsList",
    group: "/api/v1",
    // They have the name of their service.
    ofService: (service) => ({ fieldSelector: `metadata.name=${service}` }),
    endpoints: ofEndpoints,
  },
  pods: {
    plural: "pods",
    listKind: "PodList",
    group: "/api/v1",
    // A pod does not know its services: options without a selector are refused.
    ofService: () => ({}),
    endpoints: ofPod,
  },
});

function* ofSlice(slice: unknown, portName: string | undefined): Generator<Endpoint> {
  const service = textAt(slice, "metadata", "labels", SERVICE_LABEL);
  const port = portNamed(at(slice, "ports"), portName, "port");
  for (const endpoint of listAt(slice, "endpoints")) {
    yield {
      // The addresses of one endpoint stand for each other.
      ip: listAt(endpoint, "addresses")[0],
      isReady: at(endpoint, "conditions", "ready") !== false,
      isTerminating: at(endpoint, "conditions", "terminating") === true,
      isEnded: false,
      hostname: textAt(endpoint, "hostname"),
      namespace: textAt(endpoint, "targetRef", "namespace") ?? namespaceOf(slice),
      service,
      port,
    };
  }
}

function* ofEndpoints(endpoints: unknown, portName: string | undefined): Generator<Endpoint> {
  const service = textAt(endpoints, "metadata", "name");
  for (const subset of listAt(endpoints, "subsets")) {
    const port = portNamed(at(subset, "ports"), portName, "port");
    for (const field of ["addresses", "notReadyAddresses"]) {
      for (const address of listAt(at(subset, field))) {
        yield {
          ip: at(address, "ip"),
          isReady: field === "addresses",
          isTerminating: false,
          isEnded: false,
          hostname: textAt(address, "hostname"),
          namespace: textAt(address, "targetRef", "namespace") ?? namespaceOf(endpoints),
          service,
          port,
        };
      }
    }
  }
}

function* ofPod(pod: unknown, portName: string | undefined): Generator<Endpoint> {
  const conditions = listAt(pod, "status", "conditions");
  const ports = listAt(pod, "spec", "containers").flatMap((one) => listAt(one, "ports"));
  const phase = at(pod, "status", "phase");
  yield {
    ip: at(pod, "status", "podIP"),
    isReady: conditions.some((one) => at(one, "type") === "Ready" && at(one, "status") === "True"),
    isTerminating: textAt(pod, "metadata", "deletionTimestamp") !== undefined,
    isEnded: phase === "Succeeded" || phase === "Failed",
    hostname: textAt(pod, "spec", "hostname"),
    namespace: namespaceOf(pod),
    service: textAt(pod, "spec", "subdomain"),
    port: portNamed(ports, portName, "containerPort"),
  };
}

function namespaceOf(object: unknown): string | undefined {
  return textAt(object, "metadata", "namespace");
}

function portNamed(ports: unknown, name: string | undefined, field: string): unknown {
  if (name === undefined) return undefined;
  const found = listAt(ports).find(
    (port) => at(port, "name") === name && (at(port, "protocol") ?? "TCP") === "TCP",
  );
  return at(found, field);
}
