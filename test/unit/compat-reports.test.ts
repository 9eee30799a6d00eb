import { expect, test } from "vitest";
import { TypedEvents } from "../../ts/base/typed-events.ts";
import { LibclusterReports } from "../../ts/compat/index.ts";
import type { DiscoveryEvents } from "../../ts/distributed/discovery/discovery-types.ts";

const TOPOLOGIES = [
  { name: "one", strategy: "Cluster.Strategy.DNSPoll", source: 0 },
  { name: "none", strategy: "Cluster.Strategy.Rancher", source: undefined },
  { name: "two", strategy: "Cluster.Strategy.Gossip", source: 1 },
];

/** Events of a search, as they are reported. */
function reports(tell: (search: TypedEvents<DiscoveryEvents>) => void): readonly unknown[] {
  const reported: unknown[] = [];
  const search = new TypedEvents<DiscoveryEvents>();
  new LibclusterReports({ topologies: TOPOLOGIES }, ["dns a", "gossip b"], {
    telemetry: {
      execute: (name, measured, facts) => reported.push([name.join("."), measured, facts]),
    },
    log: { log: (level, line) => reported.push(`${level} ${line}`) },
  }).follow(search);
  tell(search);
  return reported;
}

const address = "10.0.0.7:7000";
const node = "app@10.0.0.7";

test("a connection is one event for each topology that has the node", () => {
  const sources = ["dns a", "gossip b", "of others"];
  const told = reports((search) => {
    search.emit("dialled", { address, name: node, sources, tookMs: 1.5 });
  });
  expect(told).toEqual([
    ["libcluster.connect_node.ok", { duration: 1_500_000 }, { node, topology: "one" }],
    "info [libcluster:one] connected to app@10.0.0.7",
    ["libcluster.connect_node.ok", { duration: 1_500_000 }, { node, topology: "two" }],
    "info [libcluster:two] connected to app@10.0.0.7",
  ]);
});

test.each([
  ["timeout", "late", "unreachable"],
  ["auth_failed", "no", "not_part_of_network"],
  ["discovery_failed", "not_part_of_network", "not_part_of_network"],
  ["discovery_failed", "unreachable", "unreachable"],
])("a dial that failed with %s (%s) is %s", (code, message, reason) => {
  const error = { code, message, atMs: 0 };
  const told = reports((search) => {
    const sources = ["dns a"];
    search.emit("dialFailed", { address, name: undefined, sources, error, retryInMs: 0 });
  });
  expect(told).toEqual([
    ["libcluster.connect_node.error", {}, { node: address, topology: "one", reason }],
    `warn [libcluster:one] no connection to ${address}: ${reason.replaceAll("_", " ")}`,
  ]);
});

test.each([
  [true, "ok", undefined],
  [false, "error", "already_disconnected"],
  ["ignored", "error", "not_part_of_network"],
] as const)("a member that was pruned, with the answer %s, is %s", (answer, outcome, reason) => {
  const pruned = { address, name: node, sources: ["gossip b"], answer };
  const told = reports((search) => search.emit("pruned", { ...pruned, wasUp: true }));
  const facts = { node, topology: "two", ...(reason !== undefined && { reason }) };
  expect(told[0]).toEqual([`libcluster.disconnect_node.${outcome}`, {}, facts]);
  expect(told).toHaveLength(2);
  // Who was not connected is not disconnected.
  expect(reports((search) => search.emit("pruned", { ...pruned, wasUp: false }))).toEqual([]);
});
