/** A node that a worker can be started at, as placement sees it. */
export interface PlaceCandidate {
  readonly node: string;
  /** Workers of the ecosystem that live there. Unit: workers. */
  readonly workers: number;
  /** CPUs that its process may use. Unit: cores. */
  readonly cores: number;
  /** CPU time that its process took of late. Unit: cores. */
  readonly busyCores: number;
}

/** Names the node for the next worker, among at least one. */
export type ChoosePlace = (candidates: readonly PlaceCandidate[]) => string;

/** Ways to choose a node that have a name. */
export const PLACEMENTS = Object.freeze(["spread", "roundRobin", "leastLoaded"] as const);

/**
 * Which node gets the next worker. `spread`: the one with the fewest. `roundRobin`: each in its
 * turn. `leastLoaded`: the one with the fewest workers and busy cores for each core that it has.
 */
export type Placement = (typeof PLACEMENTS)[number] | ChoosePlace;

/** On which nodes workers live. Defaults: {@link ECOSYSTEM_DISTRIBUTION_DEFAULTS}. */
export interface EcosystemDistributionOptions {
  /** Names of the nodes. Default: all that offer the factory, this one included. */
  readonly nodes?: readonly string[];
  /** Which of them gets the next worker. */
  readonly placement?: Placement;
  /** How long a worker's start waits for a node to be there before it has failed. Unit: ms. */
  readonly waitMs?: number;
}

/** On which nodes workers live unless the options say otherwise. */
export const ECOSYSTEM_DISTRIBUTION_DEFAULTS = Object.freeze({
  placement: "spread", // the loss of a node costs as few as possible
  waitMs: 10_000, // longer than a node takes to start and to be seen
});

/** Where the workers of an ecosystem are. */
export interface EcosystemDistribution {
  /** The rule, or `function`. */
  readonly placement: (typeof PLACEMENTS)[number] | "function";
  /** The nodes that could be asked last, and what they said; ordered by name. */
  readonly nodes: readonly PlaceCandidate[];
  /** Workers that were moved to nodes that had come. */
  readonly moved: number;
}
