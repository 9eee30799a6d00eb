import type { FoundationNode } from "../foundation.ts";

let current: FoundationNode | undefined;

/** The node of the module style in this isolate: the first that it started or attached to. */
export function defaultNode(): FoundationNode | undefined {
  return current;
}

/** Takes a node for the default one, where there is none, until this isolate lets go of it. */
export function offerAsDefault(node: FoundationNode): void {
  if (current !== undefined) return;
  current = node;
  node.onClosed(() => {
    if (current === node) current = undefined;
  });
}
