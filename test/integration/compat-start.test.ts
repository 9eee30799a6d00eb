import { Foundation, type FoundationNode, Providers } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";

const nodes: FoundationNode[] = [];

afterEach(async () => {
  await Promise.all(nodes.splice(0).map(async (node) => node.leave({ drainMs: 0 })));
});

async function started(options: Parameters<typeof Foundation.start>[0]): Promise<FoundationNode> {
  const node = await Foundation.start(options);
  nodes.push(node);
  return node;
}

describe("Foundation.start", () => {
  test("takes topologies of libcluster, and tells of them in its names", async () => {
    const first = await started({ name: "a@127.0.0.1" });
    const lines: string[] = [];
    const log = { log: (_level: string, line: string) => void lines.push(line) };
    const strategy = Providers.static({ addresses: [first.address] });
    const second = await started({
      name: "b@127.0.0.1",
      libclusterTopologies: { lan: { strategy } },
      log,
    });
    await second.awaitReady({ minimumMembers: 2, timeoutMs: 20_000 });
    await expect.poll(() => lines).toContain("[libcluster:lan] connected to a@127.0.0.1");
    expect(second.distributed.discovery.status().sources).toMatchObject([{ kind: "static" }]);
  });

  test("has hooks connect in its place", async () => {
    const asked: string[] = [];
    const connect = (name: string): "ignored" => {
      asked.push(name);
      return "ignored";
    };
    const lines: string[] = [];
    const log = { log: (_level: string, line: string) => void lines.push(line) };
    const config = { hosts: ["a@192.0.2.1"] };
    const topology = { strategy: "Cluster.Strategy.Epmd", config, connect };
    await started({ libclusterTopologies: { wan: topology }, log });
    const line = "[libcluster:wan] no connection to a@192.0.2.1: not part of network";
    await expect.poll(() => lines).toContain(line);
    expect(asked).toEqual(["a@192.0.2.1"]);
  });

  test("takes them as a text in Elixir", async () => {
    const text = `config :libcluster, topologies: [lan: [strategy: Cluster.Strategy.Epmd,
      config: [hosts: [:"a@192.0.2.1", :"b@192.0.2.2"]]]]`;
    const node = await started({ libclusterTopologies: text });
    expect(node.distributed.discovery.status().sources).toMatchObject([
      { kind: "static", label: "static 2 addresses" },
    ]);
  });

  test("finds the nodes of this machine by the example that libcluster documents", async () => {
    const cluster = `compat-${process.pid}`;
    const libclusterTopologies = `config :libcluster,
      topologies: [epmd_example: [strategy: Cluster.Strategy.Epmd,
        config: [timeout: 30_000, hosts: [:"a@127.0.0.1", :"b@127.0.0.1"]]]]`;
    await started({ name: "a@127.0.0.1", cluster, libclusterTopologies });
    const second = await started({ name: "b@127.0.0.1", cluster, libclusterTopologies });
    await second.awaitReady({ minimumMembers: 2, timeoutMs: 30_000 });
    expect(second.members().map(({ name }) => name)).toContain("a@127.0.0.1");
  });

  test("takes overlays as Partisan names them", async () => {
    const node = await started({
      partisanOverlays: {
        control: { overlay: "full_mesh", channels: ["coordination"] },
        data: { overlay: "hyparview", channels: ["events"] },
      },
    });
    const { overlays } = node.distributed.topology.current();
    expect(overlays).toMatchObject([
      { name: "control", strategy: "fullMesh" },
      { name: "data", strategy: "hyparview" },
    ]);
  });

  test("goes on where the log throws, and refuses a log that is none", async () => {
    const lines: string[] = [];
    const log = {
      log: (_level: string, line: string): void => {
        lines.push(line);
        throw new Error("the disk is full");
      },
    };
    const node = await started({ libclusterTopologies: "lan: [strategy: LocalEpmd]", log });
    expect(lines).toContainEqual(expect.stringContaining("[libcluster:lan] there is no EPMD"));
    expect(node.distributed.discovery.status().sources).toMatchObject([{ kind: "local" }]);
    for (const none of [() => {}, "console", null, { warn: () => {} }]) {
      const refused = Foundation.start({ log: none as never });
      await expect(refused).rejects.toMatchObject({ code: "invalid_options" });
    }
    for (const wrong of [{ testMode: "no" }, { events: 5 }, { telemetry: [] }]) {
      const refused = Foundation.start(wrong as never);
      await expect(refused).rejects.toMatchObject({ code: "invalid_options" });
    }
  });

  test("refuses what nothing can be made of, and two names for one thing", async () => {
    const start = async (options: object): Promise<unknown> => Foundation.start(options);
    const rancher = { one: { strategy: "Cluster.Strategy.Rancher" } };
    await expect(start({ libclusterTopologies: rancher })).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining("one.strategy: there is no provider for Rancher") as string,
    });
    await expect(start({ libclusterTopologies: "x = 1" })).rejects.toThrow(/no topologies found/);
    await expect(start({ libclusterTopologies: {}, discovery: [] })).rejects.toThrow(/give one/);
    await expect(start({ partisanOverlays: {}, overlays: {} })).rejects.toThrow(/give one/);
  });
});
