import type { FoundationNode } from "../../index.ts";
import { CommandError } from "../exit.ts";

/** Resolves when the node knows this member, so that a message to it finds its way. */
export async function awaitMember(
  node: FoundationNode,
  name: string,
  timeoutMs: number,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const isKnown = (): boolean => node.members().some((member) => member.name === name);
    if (isKnown()) {
      resolve();
      return;
    }
    const stop = node.on("up", () => {
      if (!isKnown()) return;
      clearTimeout(timer);
      stop();
      resolve();
    });
    const timer = setTimeout(() => {
      stop();
      const message = `${node.name} found no ${name} within ${timeoutMs} ms`;
      reject(new CommandError("member_missing", message));
    }, timeoutMs);
  });
}
