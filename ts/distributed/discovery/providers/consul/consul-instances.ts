import { ENTRIES_MAX, readEntries } from "../../entries.ts";
import { at, listAt, textAt } from "../../lines.ts";
import type { Candidate, CandidateSet, ProviderContext } from "../../provider.ts";
import type { ConsulPlan } from "./consul-options.ts";

/** Where a node writes its name and cluster, so that others know them. */
export const META_NAME = "foundation-name";
/** Where it says whose member it is: clusters may share a service. */
export const META_CLUSTER = "foundation-cluster";

type Reading = Pick<ProviderContext, "self" | "note">;

/**
 * The candidates among the instances of a service. Who is in maintenance is draining; who does not
 * pass, is of another cluster or is this node itself is left out.
 */
export function readInstances(
  instances: readonly unknown[],
  plan: Pick<ConsulPlan, "passingOnly" | "port">,
  context: Reading,
): CandidateSet {
  const isComplete = instances.length <= ENTRIES_MAX;
  if (!isComplete) context.note("overLimit");
  const all = instances
    .slice(0, ENTRIES_MAX)
    .map((instance) => readInstance(instance, plan, context))
    .filter((candidate) => candidate !== undefined);
  const candidates = all.filter(({ address }) => address !== context.self.address);
  const knowsSelf = candidates.length < all.length;
  return { candidates, isComplete, ...(knowsSelf && { knowsSelf }) };
}

function readInstance(
  instance: unknown,
  { passingOnly, port }: Pick<ConsulPlan, "passingOnly" | "port">,
  context: Reading,
): Candidate | undefined {
  const cluster = textAt(instance, "Service", "Meta", META_CLUSTER);
  const name = textAt(instance, "Service", "Meta", META_NAME);
  if (cluster !== undefined && cluster !== context.self.cluster) {
    context.note("otherCluster");
    return undefined;
  }
  const health = healthOf(listAt(instance, "Checks"));
  if (health === "critical" && passingOnly) {
    context.note("notPassing");
    return undefined;
  }
  const own = at(instance, "Service", "Port");
  const address = textAt(instance, "Service", "Address") ?? textAt(instance, "Node", "Address");
  const entry = {
    address,
    ...(typeof own === "number" && own !== 0 && { port: own }),
    ...(name !== undefined && { name }),
    isDraining: health === "maintenance",
  };
  const [candidate] = readEntries(
    [entry],
    { ...(port !== undefined && { port }) },
    context,
  ).candidates;
  return candidate;
}

/** Maintenance makes a check of its own critical: of the instance, or of its whole node. */
function healthOf(checks: readonly unknown[]): "passing" | "critical" | "maintenance" {
  let worst: "passing" | "critical" = "passing";
  for (const check of checks) {
    const id = textAt(check, "CheckID") ?? "";
    const isPassing = at(check, "Status") === "passing";
    const isMaintenance = id === "_node_maintenance" || id.startsWith("_service_maintenance");
    if (isMaintenance && !isPassing) return "maintenance";
    if (!isPassing) worst = "critical";
  }
  return worst;
}
