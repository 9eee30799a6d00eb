import type { DiscoveryEvents } from "../../distributed/discovery/discovery-types.ts";
import type { LogSink, TelemetrySink } from "../../services/sinks.ts";
import type { LibclusterMigration } from "./migration.ts";

/** Where a search for others tells of itself: `node.distributed.discovery`. */
export interface LibclusterSearch {
  on<Name extends "dialled" | "dialFailed" | "pruned">(
    name: Name,
    listener: (event: DiscoveryEvents[Name]) => void,
  ): unknown;
}

/** Where reports go: the telemetry and the log of a node. */
export interface LibclusterSinks {
  readonly telemetry: TelemetrySink;
  readonly log: LogSink;
}

/** Why a node was not connected to, in the words of libcluster. */
type Reason = "unreachable" | "not_part_of_network";

/** Codes of nodes that want no part in this cluster. */
const STRANGERS: readonly string[] = ["auth_failed", "cluster_mismatch", "version_mismatch"];

const NS_IN_MS = 1_000_000;

function reasonOf({ code, message }: DiscoveryEvents["dialFailed"]["error"]): Reason {
  const isStranger = STRANGERS.includes(code) || message === "not_part_of_network";
  return isStranger ? "not_part_of_network" : "unreachable";
}

/** What libcluster tells of its nodes, in its names: each event once for each topology. */
export class LibclusterReports {
  readonly #sinks: LibclusterSinks;
  /** Names of topologies by the labels of their sources. */
  readonly #topologies = new Map<string, string[]>();

  /** `labels`: those of the sources of `migration.config`, in their order. */
  constructor(
    { topologies }: Pick<LibclusterMigration, "topologies">,
    labels: readonly string[],
    sinks: LibclusterSinks,
  ) {
    this.#sinks = sinks;
    for (const { name, source } of topologies) {
      const label = source === undefined ? undefined : labels[source];
      if (label === undefined) continue;
      this.#topologies.set(label, [...(this.#topologies.get(label) ?? []), name]);
    }
  }

  /** Reports from now on what a search tells of. */
  follow(search: LibclusterSearch): void {
    search.on("dialled", ({ name, sources, tookMs }) => {
      const measured = { duration: Math.round(tookMs * NS_IN_MS) };
      this.#report("connect_node", "ok", sources, name, measured);
    });
    search.on("dialFailed", ({ address, name, sources, error }) => {
      this.#report("connect_node", "error", sources, name ?? address, {}, reasonOf(error));
    });
    search.on("pruned", ({ address, name, sources, wasUp, answer }) => {
      // libcluster disconnects from nodes that are connected, and tells of those alone.
      if (!wasUp) return;
      const node = name ?? address;
      if (answer === true) this.#report("disconnect_node", "ok", sources, node, {});
      else {
        const reason = answer === "ignored" ? "not_part_of_network" : "already_disconnected";
        this.#report("disconnect_node", "error", sources, node, {}, reason);
      }
    });
  }

  #report(
    event: "connect_node" | "disconnect_node",
    outcome: "ok" | "error",
    sources: readonly string[],
    node: string,
    measured: Readonly<Record<string, number>>,
    reason?: string,
  ): void {
    const topologies = new Set(sources.flatMap((label) => this.#topologies.get(label) ?? []));
    for (const topology of topologies) {
      const facts = { node, topology, ...(reason !== undefined && { reason }) };
      this.#sinks.telemetry.execute(["libcluster", event, outcome], measured, facts);
      const text = lineOf(event, node, reason);
      const level = reason === undefined ? "info" : "warn";
      this.#sinks.log.log(level, `[libcluster:${topology}] ${text}`, facts);
    }
  }
}

function lineOf(event: "connect_node" | "disconnect_node", node: string, reason?: string): string {
  const why = reason?.replaceAll("_", " ");
  if (event === "connect_node") {
    return why === undefined ? `connected to ${node}` : `no connection to ${node}: ${why}`;
  }
  return why === undefined ? `disconnected from ${node}` : `not disconnected from ${node}: ${why}`;
}
