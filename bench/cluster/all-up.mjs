/**
 * Resolves once `others` members are up, as the node's own events tell.
 *
 * @param {import("foundation-runtime").FoundationNode} node
 * @param {number} others
 * @returns {Promise<void>}
 */
export function allUp(node, others) {
  return new Promise((resolve) => {
    const up = new Set();
    node.on("up", ({ name }) => {
      up.add(name);
      if (up.size === others) resolve();
    });
    node.on("down", ({ name }) => up.delete(name));
  });
}
