/** Names of another isolate become known to this one a moment after they are taken there. */

/**
 * Resolves once a handler of this node answers.
 *
 * @param {import("foundation-runtime").FoundationNode} node
 * @param {string} name
 */
export async function awaitHandler(node, name) {
  for (;;) {
    try {
      return await node.call({ node: node.name, name }, true);
    } catch (error) {
      if (error.code !== "noproc") throw error;
      await new Promise(setImmediate);
    }
  }
}
