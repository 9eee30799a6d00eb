import { expect } from "vitest";
import type { FoundationNode, Pid } from "../../dist/ts/index.js";

/** The processes of a node's services, by the names of their children. */
export async function serviceProcesses(node: FoundationNode): Promise<Map<string, Pid>> {
  const { supervisors } = node.beam;
  const children = await supervisors.whichChildren(node.services.supervisor as Pid);
  return new Map(children.flatMap(({ id, pid }) => (pid === undefined ? [] : [[id, pid]])));
}

/**
 * Kills a service and runs a function in the moment between its end and its restart, which follows
 * at once; resolves with the answer when it has been restarted.
 */
export async function duringOutage<T>(
  node: FoundationNode,
  service: string,
  run: () => T,
): Promise<T> {
  const { processes } = node.beam;
  const pid = (await serviceProcesses(node)).get(service);
  if (pid === undefined) throw new Error(`there is no service ${service}`);
  const answer = new Promise<T>((resolve, reject) => {
    processes.monitor(pid, () => {
      try {
        resolve(run());
      } catch (thrown) {
        reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    });
  });
  processes.exit(pid, "kill");
  const value = await answer;
  // The supervisor answers once it has restarted what was killed.
  const now = (await serviceProcesses(node)).get(service);
  expect(now?.equals(pid)).toBe(false);
  return value;
}

/** Kills a service; resolves when it has been restarted. */
export async function restarted(node: FoundationNode, service: string): Promise<void> {
  await duringOutage(node, service, () => {});
}

/** How many events of a kind the telemetry has counted. */
export function counted(node: FoundationNode, name: string): number {
  return node.telemetry.getMetricsFlat().get(name)?.measurements["counter"] ?? 0;
}
