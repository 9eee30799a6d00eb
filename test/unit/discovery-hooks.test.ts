import { expect, test } from "vitest";
import type { HookAnswer } from "../../ts/distributed/discovery/discovery-options.ts";
import { DiscoveryScene, SpokenSource } from "./discovery-scene.ts";

const A = { address: "10.0.0.2:7000", name: "app@10.0.0.2" };
const B = { address: "10.0.0.3:7000", name: "app@10.0.0.3" };

/** A search whose source connects and disconnects by hooks that answer what they are told to. */
function hooked(answers: Record<string, HookAnswer | Error>) {
  const provider = new SpokenSource("hooked");
  const connected: string[] = [];
  const calls: string[] = [];
  const ask =
    (hook: string) =>
    async (node: string): Promise<HookAnswer> => {
      calls.push(`${hook} ${node}`);
      const answer = answers[node] ?? true;
      if (answer instanceof Error) throw answer;
      if (answer === true && hook === "connect") connected.push(node);
      return answer;
    };
  const scene = new DiscoveryScene({
    prune: "immediate",
    sources: [
      {
        provider,
        connect: ask("connect"),
        disconnect: ask("disconnect"),
        listNodes: () => connected,
      },
    ],
  });
  return { scene, provider, calls };
}

test("hooks connect whom listNodes does not have, in place of the node", async () => {
  const { scene, provider, calls } = hooked({});
  provider.tells({ candidates: [A, B], isComplete: true });
  await scene.pass(10_000);
  provider.tells({ candidates: [A, B], isComplete: true });
  await scene.pass(60_000);
  expect(calls).toEqual([`connect ${A.name}`, `connect ${B.name}`]);
  expect(scene.node.dialled).toEqual([]);
  expect(scene.events("dialled")).toHaveLength(2);
});

test("what they answer is told: false, ignored, something else, an error", async () => {
  const names = ["app@10.0.0.4", "app@10.0.0.5", "app@10.0.0.6", "app@10.0.0.7"];
  const [no, ignored, odd, thrown] = names as [string, string, string, string];
  const answers = { [no]: false, [ignored]: "ignored", [odd]: 7, [thrown]: new Error("broken") };
  const { scene, provider } = hooked(answers as never);
  const candidates = names.map((name) => ({ name, address: `${name.slice(4)}:7000` }));
  provider.tells({ candidates, isComplete: true });
  await scene.pass(1_000);
  const failed = scene.events("dialFailed") as { name: string; error: { message: string } }[];
  expect(failed.map(({ name, error }) => [name, error.message])).toEqual([
    [no, "unreachable"],
    [ignored, "not_part_of_network"],
    [odd, expect.stringContaining("answers true, false")],
    [thrown, "broken"],
  ]);
});

test("disconnect is asked for who is listed no more, and the node hangs up on nobody", async () => {
  const { scene, provider, calls } = hooked({ [B.name]: true });
  provider.tells({ candidates: [A, B], isComplete: true });
  await scene.pass(1_000);
  provider.tells({ candidates: [A], isComplete: true });
  await scene.pass(1_000);
  expect(calls).toContain(`disconnect ${B.name}`);
  expect(scene.events("pruned")).toMatchObject([{ name: B.name, answer: true }]);
  expect(scene.node.forgotten).toEqual([]);
});

test("a slow hook is not called again for whom it is connecting already", async () => {
  const provider = new SpokenSource("slow");
  const calls: string[] = [];
  const connected: string[] = [];
  let end = (): void => {};
  const connect = async (node: string): Promise<HookAnswer> => {
    calls.push(node);
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    connected.push(node);
    return true;
  };
  const sources = [{ provider, connect, listNodes: () => connected }];
  const scene = new DiscoveryScene({ sources });
  for (let turn = 0; turn < 3; turn += 1) {
    provider.tells({ candidates: [A], isComplete: true });
    await scene.pass(5_000);
  }
  provider.tells({ candidates: [A, B], isComplete: true });
  await scene.pass(5_000);
  expect(calls).toEqual([A.name]);
  end();
  await scene.pass(1_000);
  expect(calls).toEqual([A.name, B.name]);
});
