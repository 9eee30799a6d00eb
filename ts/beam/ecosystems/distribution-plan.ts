import { FoundationError } from "../../base/errors.ts";
import { checkWord } from "../../base/option-checks.ts";
import {
  ECOSYSTEM_DISTRIBUTION_DEFAULTS,
  type EcosystemDistributionOptions,
  PLACEMENTS,
  type Placement,
} from "./distribution-types.ts";
import type { EcosystemWorkerOptions } from "./ecosystem-types.ts";

/** Which nodes workers live on, checked and with defaults. */
export interface DistributionPlan {
  readonly factory: string;
  readonly args: readonly unknown[];
  /** Undefined: all that offer the factory. */
  readonly nodes: readonly string[] | undefined;
  readonly placement: Placement;
  readonly waitMs: number;
  /** Whether each has to have an isolate of its own. */
  readonly isIsolated: boolean;
}

/**
 * Checks the option `distribution`; undefined where all workers live in this node.
 *
 * @throws FoundationError `invalid_options`
 */
export function distributionPlan(
  wanted: "local" | "clusterWide" | EcosystemDistributionOptions,
  { factory, args = [] }: EcosystemWorkerOptions,
  isIsolated: boolean,
): DistributionPlan | undefined {
  if (wanted === "local") {
    if (factory !== undefined) refuse("`workers.factory` is of a `distribution` over nodes");
    return undefined;
  }
  if (wanted !== "clusterWide" && (typeof wanted !== "object" || wanted === null)) {
    const text = `distribution must be "local", "clusterWide" or an object, not '${wanted}'`;
    return refuse(text);
  }
  if (typeof factory !== "string" || factory === "") {
    refuse("workers on other nodes need `workers.factory`, a name that these offer: code stays");
  }
  const options = wanted === "clusterWide" ? {} : wanted;
  const { nodes, placement, waitMs } = { ...ECOSYSTEM_DISTRIBUTION_DEFAULTS, ...options };
  const isList = Array.isArray(nodes) && nodes.every((node) => typeof node === "string");
  if (nodes !== undefined && (!isList || nodes.length === 0)) {
    refuse("distribution.nodes must be a list of at least one name");
  }
  if (typeof placement !== "function") {
    checkWord("distribution.placement", placement as (typeof PLACEMENTS)[number], PLACEMENTS);
  }
  if (!(waitMs >= 0)) refuse("distribution.waitMs must be at least 0");
  return Object.freeze({
    factory: factory as string,
    args,
    nodes,
    placement: placement as Placement,
    waitMs,
    isIsolated,
  });
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
