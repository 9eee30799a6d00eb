import { Providers } from "foundation-runtime";
import { afterAll, expect, test } from "vitest";
import { describeProvider, ProviderRun, SELF } from "./provider-contract.ts";

const mdns = () => Providers.mdns({ interfaceAddress: "127.0.0.1", pollMs: 1_000 });
const neighbours: ProviderRun[] = [];

async function endNeighbours(): Promise<void> {
  await Promise.all(neighbours.splice(0).map(async (run) => run.abort()));
}

/** Real multicast on this machine: each address is a node that announces itself. */
describeProvider(
  "mDNS",
  {
    isComplete: false,
    provider: mdns,
    publish: async (addresses) => {
      await endNeighbours();
      for (const address of addresses) {
        const [host, port] = address.split(":") as [string, string];
        const self = { ...SELF, name: `at ${address}`, address, host, port: Number(port) };
        neighbours.push(new ProviderRun(mdns(), { self }));
      }
    },
    close: endNeighbours,
  },
  {},
);

afterAll(endNeighbours);

test("nodes of other clusters are not told of, names come along", async () => {
  const at = (host: string, cluster: string) => ({
    ...SELF,
    cluster,
    name: `node ${host}`,
    host,
    address: `${host}:7000`,
  });
  neighbours.push(new ProviderRun(mdns(), { self: at("10.1.0.8", "another") }));
  neighbours.push(new ProviderRun(mdns(), { self: at("fd00::9", "names") }));
  const looking = new ProviderRun(mdns(), { self: { ...SELF, cluster: "names" } });
  neighbours.push(looking);
  expect(await looking.until((all) => all.length > 0)).toEqual(["[fd00::9]:7000"]);
  expect(looking.sets[0]?.candidates[0]?.name).toBe("node fd00::9");
});
