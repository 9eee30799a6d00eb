import { type DnsOptions, Providers } from "foundation-runtime";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import {
  addressRecord,
  Bind,
  Dnsmasq,
  handNameServer,
  type Question,
  reply,
} from "./name-servers.ts";
import { describeProvider, ProviderRun } from "./provider-contract.ts";

const dnsmasq = await Dnsmasq.start();
const bind = await Bind.start();
if (dnsmasq === undefined) console.warn("dnsmasq is not installed: addresses of DNS go untested");
if (bind === undefined) console.warn("named is not installed: records of services go untested");

const NAME = "app.cluster.local";
const SRV = "_node._tcp.app.cluster.local";
/** Long enough for an answer of this machine, short enough to be waited for. */
const OFTEN = { pollMs: 20, timeoutMs: 3_000 };
/** Only a broken run waits that long for a set. */
const ONCE = { pollMs: 3_600_000, timeoutMs: 20_000 };

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}

/** Records of a headless service as Kubernetes has them. */
function serviceRecords(addresses: readonly string[]): string[] {
  return addresses.flatMap((address, i) => [
    `${SRV}. IN SRV 0 33 ${address.slice(hostOf(address).length + 1)} pod-${i}.${NAME}.`,
    addressRecord(`pod-${i}.${NAME}.`, hostOf(address)),
  ]);
}

/** A server that is killed, started again at its port, and stopped where it stands. */
function faultsOf(server: Dnsmasq | Bind) {
  return {
    failing: {
      begin: async () => server.process.kill(),
      end: async () => void (await server.open()),
    },
    hanging: {
      begin: async () => server.process.freeze(),
      end: async () => server.process.thaw(),
    },
  };
}

if (dnsmasq !== undefined) {
  describeProvider(
    "DNS, addresses",
    {
      isComplete: true,
      provider: () => Providers.dns({ query: NAME, resolvers: [dnsmasq.resolver], ...OFTEN }),
      publish: async (addresses) => dnsmasq.publish(NAME, addresses.map(hostOf)),
      close: async () => {},
    },
    faultsOf(dnsmasq),
  );
}

if (bind !== undefined) {
  describeProvider(
    "DNS, services",
    {
      isComplete: true,
      provider: () =>
        Providers.dns({ query: SRV, type: "srv", resolvers: [bind.resolver], ...OFTEN }),
      publish: async (addresses) => bind.publish(serviceRecords(addresses)),
      close: async () => {},
    },
    {
      ...faultsOf(bind),
      poison: async () => {
        await bind.publish([
          ...serviceRecords(["10.1.0.1:7000", "10.1.0.2:7000", "10.1.0.3:0"]),
          `${SRV}. IN SRV 0 33 1 nowhere.cluster.local.`,
          String.raw`${SRV}. IN SRV 0 33 2 \000\255\032.cluster.local.`,
          `${SRV}. IN SRV 0 33 3 .`,
        ]);
      },
    },
  );
}

afterAll(async () => {
  await dnsmasq?.close();
  await bind?.close();
});

const runs: ProviderRun[] = [];
afterEach(async () => {
  await Promise.all(runs.splice(0).map(async (run) => run.abort()));
});

function ask(options: DnsOptions): ProviderRun {
  const run = new ProviderRun(Providers.dns({ ...ONCE, ...options }));
  runs.push(run);
  return run;
}

/** The first set that a name gives. */
async function setOf(options: DnsOptions) {
  const run = ask(options);
  await run.until(() => run.sets.length > 0);
  return { set: run.sets[0], notes: run.notes };
}

/** Code of what the system said, and that it was an error of the source. */
async function failureOf(options: DnsOptions): Promise<unknown> {
  const run = ask(options);
  await run.ended();
  expect(run.failure).toMatchObject({ code: "discovery_failed" });
  expect(run.sets).toEqual([]);
  return (run.failure as { cause?: { code?: unknown } }).cause?.code;
}

const EMPTY = { candidates: [], isComplete: true };

describe.runIf(dnsmasq)("addresses of a name, asked of dnsmasq", () => {
  const resolvers = [dnsmasq?.resolver ?? ""];

  test("both families, one of them, a port and a basename", async () => {
    await dnsmasq?.publish(NAME, ["10.1.0.1", "fd00::1"]);
    expect((await setOf({ query: NAME, resolvers })).set).toEqual({
      candidates: [{ address: "10.1.0.1:7000" }, { address: "[fd00::1]:7000" }],
      isComplete: true,
    });
    const six = { families: [6] as const, port: 9000, basename: "app" };
    expect((await setOf({ query: `${NAME}.`, resolvers, ...six })).set?.candidates).toEqual([
      { address: "[fd00::1]:9000", name: "app@fd00::1" },
    ]);
  });

  test("no such name and no such record are empty answers", async () => {
    expect((await setOf({ query: "nobody.cluster.local", resolvers })).set).toEqual(EMPTY);
    expect((await setOf({ query: "text.cluster.local", resolvers })).set).toEqual(EMPTY);
    const srv = await setOf({ query: "text.cluster.local", type: "srv", resolvers });
    expect(srv.set).toEqual(EMPTY);
  });

  test("an answer too long for a datagram is asked for again over TCP", async () => {
    const many = Array.from({ length: 2_000 }, (_, i) => `10.2.${i >> 8}.${i & 255}`);
    await dnsmasq?.publish(NAME, many);
    const { set } = await setOf({ query: NAME, families: [4], resolvers });
    expect(new Set(set?.candidates.map(({ address }) => hostOf(address)))).toEqual(new Set(many));
  });

  test("where the first name server is gone, the second is asked", async () => {
    await dnsmasq?.publish(NAME, ["10.1.0.1"]);
    const gone = await handNameServer(() => undefined);
    await gone.close();
    const { set } = await setOf({ query: NAME, resolvers: [gone.resolver, ...resolvers] });
    expect(set?.candidates).toEqual([{ address: "10.1.0.1:7000" }]);
  });
});

describe.runIf(bind)("services, asked of BIND", () => {
  const resolvers = [bind?.resolver ?? ""];

  test("ports are those of the records, names those of the hosts", async () => {
    await bind?.publish([
      ...serviceRecords(["10.1.0.1:8001", "fd00::2:8002"]),
      `${SRV}. IN SRV 0 33 9001 pod-0.${NAME}.`,
    ]);
    const query = { query: SRV, type: "srv", resolvers, basename: "app" } as const;
    const named = (address: string, pod: number) => ({ address, name: `app@pod-${pod}.${NAME}` });
    const { set } = await setOf(query);
    expect(set?.isComplete).toBe(true);
    expect(new Set(set?.candidates)).toEqual(
      new Set([named("10.1.0.1:8001", 0), named("10.1.0.1:9001", 0), named("[fd00::2]:8002", 1)]),
    );
    const told = await setOf({ ...query, port: 7777, families: [4] });
    expect(told.set?.candidates).toEqual([named("10.1.0.1:7777", 0)]);
    expect(told.notes.get("unresolved")).toBe(1);
  });

  test("the headless service of Kubernetes, by name, and by the name of its port", async () => {
    const service = "app.prod.svc.cluster.local.";
    await bind?.publish([
      `${service} IN A 10.1.0.1`,
      `${service} IN SRV 0 50 7100 pod-a.${service}`,
      `_node._tcp.${service} IN SRV 0 100 7200 pod-a.${service}`,
      `pod-a.${service} IN A 10.1.0.1`,
    ]);
    const kubernetes = { service: "app", namespace: "prod" };
    const addresses = async (options: DnsOptions): Promise<unknown> =>
      (await setOf({ resolvers, ...options })).set?.candidates;
    expect(await addresses({ kubernetes })).toEqual([{ address: "10.1.0.1:7000" }]);
    expect(await addresses({ kubernetes, type: "srv" })).toEqual([{ address: "10.1.0.1:7100" }]);
    const named = { ...kubernetes, portName: "node" };
    expect(await addresses({ kubernetes: named, type: "srv" })).toEqual([
      { address: "10.1.0.1:7200" },
    ]);
    expect(
      await failureOf({ kubernetes: { ...kubernetes, clusterDomain: "other" }, resolvers }),
    ).toBe("EREFUSED");
  });

  test("a server that fails or refuses is an error, and says which", async () => {
    expect(await failureOf({ query: "app.broken.test", resolvers })).toBe("ESERVFAIL");
    expect(await failureOf({ query: "app.elsewhere.test", resolvers })).toBe("EREFUSED");
    const srv = { type: "srv", resolvers } as const;
    expect(await failureOf({ query: "app.broken.test", ...srv })).toBe("ESERVFAIL");
  });

  test("hosts whose addresses nobody can tell now are not gone", async () => {
    await bind?.publish([
      ...serviceRecords(["10.1.0.1:7000"]),
      `${SRV}. IN SRV 0 33 7000 pod.broken.test.`,
    ]);
    const { set, notes } = await setOf({ query: SRV, type: "srv", resolvers });
    expect(set).toEqual({ candidates: [{ address: "10.1.0.1:7000" }], isComplete: false });
    expect(notes.get("unresolved")).toBe(1);
    await bind?.publish([`${SRV}. IN SRV 0 33 7000 pod.broken.test.`]);
    expect(await failureOf({ query: SRV, type: "srv", resolvers })).toBe("ESERVFAIL");
  });
});

describe("what no real name server does", () => {
  async function failureWith(answer: (question: Question) => Buffer | undefined) {
    const server = await handNameServer(answer);
    const options = { query: NAME, resolvers: [server.resolver], timeoutMs: 300 };
    const code = await failureOf(options);
    await server.close();
    return code;
  }

  test("answers with another number, to another question, cut off, or of noise", async () => {
    const other = (message: Buffer): Buffer => {
      message.writeUInt16BE(message.readUInt16BE(0) ^ 1, 0);
      return message;
    };
    await failureWith((question) => other(reply(question, 0, ["6.6.6.6"])));
    await failureWith((question) => reply(question, 0, ["6.6.6.6"]).subarray(0, -3));
    await failureWith(() => Buffer.from("\0\x01 no answer at all \xff"));
    await failureWith(() => Buffer.alloc(0));
  });

  test("a family that fails leaves the set incomplete, and the other one in it", async () => {
    const server = await handNameServer((question) =>
      question.type === 1 ? reply(question, 0, ["10.1.0.1"]) : reply(question, 2, []),
    );
    const { set, notes } = await setOf({ query: NAME, resolvers: [server.resolver] });
    expect(set).toEqual({ candidates: [{ address: "10.1.0.1:7000" }], isComplete: false });
    expect(notes.get("familyFailed")).toBe(1);
    await server.close();
  });

  test("with no address of one family and a failure of the other nothing is known", async () => {
    expect(await failureWith((question) => reply(question, question.type === 1 ? 0 : 2, []))).toBe(
      "ESERVFAIL",
    );
  });
});
