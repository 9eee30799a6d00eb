import type { FoundationNode } from "../foundation.ts";

let current: FoundationNode | undefined;
let leaving: FoundationNode | undefined;

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
    if (leaving === node) leaving = undefined;
  });
}

/** The node begins to leave: the module style uses it no longer, and another may be the default. */
export function withdrawDefault(node: FoundationNode): void {
  if (current !== node) return;
  current = undefined;
  leaving = node;
}

/** The node that was the default one until it began to leave; undefined when it has left. */
export function leavingDefault(): FoundationNode | undefined {
  return leaving;
}
