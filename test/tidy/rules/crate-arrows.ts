import type { Finding, Rule, SourceFile } from "../repository.ts";

/**
 * The floors of the Rust workspace, lowest first. A crate may use any floor below its own. The
 * simulator stands beside the host: both drive the machines, neither knows the other.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["machine", "sync"],
  ["ring", "capture", "buffer", "seal", "store"],
  ["schema", "frame"],
  ["link", "membership", "detector", "broadcast", "crdt"],
  ["cluster", "transport", "consensus"],
  ["node", "sim"],
  ["core"],
];

// The simulator drives what the host drives: a protocol that it named would be logic of its own.
const ONLY_USES: ReadonlyMap<string, readonly string[]> = new Map([
  ["sim", ["cluster", "machine"]],
]);

const NEVER_USED: ReadonlySet<string> = new Set(["core"]);

// Only bindings/core may speak Node-API: everything else must also run where there is no Node.
const NODE_API = /^napi(?:-|$)/;

/** Dependencies of one manifest, tests' ones left out: an oracle may stand on any floor. */
export interface Dependency {
  readonly name: string;
  readonly line: number;
}

/** Crate dependencies against the floors of the workspace, and Node-API below the bindings. */
export const crateArrows: Rule = (files) =>
  files.flatMap((file) => {
    const from = crateOf(file.path);
    if (from === undefined) return [];
    return dependenciesOf(file).flatMap(({ name, line }): Finding[] => {
      const reason = refusal(from, name);
      return reason === undefined ? [] : [{ path: file.path, line, reason }];
    });
  });

/**
 * The crate a manifest describes, named by its folder; undefined for any other file. Workspaces of
 * their own, which nothing that ships can come to use, stand on no floor.
 */
export function crateOf(path: string): string | undefined {
  return /^(?:native|bindings)\/(?!(?:fuzz|oracle)\/)([\w-]+)\/Cargo\.toml$/.exec(path)?.[1];
}

/** The names under `[dependencies]` and `[build-dependencies]`, with or without a target. */
export function dependenciesOf(manifest: SourceFile): Dependency[] {
  const dependencies: Dependency[] = [];
  let isListing = false;
  for (const [index, line] of manifest.text.split("\n").entries()) {
    const section = /^\[([^\]]+)\]/.exec(line.trim())?.[1];
    if (section !== undefined) {
      const [, single] = /(?:^|\.)(?:build-)?dependencies(?:\.([\w-]+))?$/.exec(section) ?? [];
      isListing = /(?:^|\.)(?:build-)?dependencies$/.test(section);
      if (single !== undefined) dependencies.push({ name: single, line: index + 1 });
      continue;
    }
    const name = isListing ? /^([\w-]+)[\w.-]*\s*=/.exec(line.trim())?.[1] : undefined;
    if (name !== undefined) dependencies.push({ name, line: index + 1 });
  }
  return dependencies;
}

function refusal(from: string, dependency: string): string | undefined {
  if (NODE_API.test(dependency)) {
    return from === "core" ? undefined : `${from} uses ${dependency}; only bindings/core may`;
  }
  const to = /^foundation-([\w-]+)$/.exec(dependency)?.[1];
  const [fromFloor, toFloor] = [floorOf(from), floorOf(to)];
  if (fromFloor === -1) return `the crate ${from} has no floor in the layers; give it one here`;
  if (to === undefined) return undefined;
  if (toFloor === -1) return `the crate ${to} has no floor in the layers; give it one here`;
  if (NEVER_USED.has(to)) return `${from} uses ${to}; nothing may use ${to}`;
  if (ONLY_USES.get(from)?.includes(to) === false) return `${from} uses ${to}; it drives clusters`;
  return toFloor < fromFloor ? undefined : `${from} uses ${to}; arrows point down only`;
}

function floorOf(crate: string | undefined): number {
  return FLOORS.findIndex((crates) => crate !== undefined && crates.includes(crate));
}
