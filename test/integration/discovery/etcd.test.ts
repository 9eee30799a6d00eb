import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EtcdOptions, Providers } from "foundation-runtime";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { within } from "../local-nodes.ts";
import { EtcdServer, selfSigned } from "./etcd-server.ts";
import { describeProvider, ProviderRun, type ProviderScene, SELF } from "./provider-contract.ts";
import { RelayServer } from "./relay-server.ts";

const server = await EtcdServer.start();
if (server === undefined) console.warn("etcd is not installed: Providers.etcd goes untested");
afterAll(async () => server?.close());

const PREFIX = "foundation/contract/";
const QUICK = { ttlMs: 1_000, timeoutMs: 1_000 };
const nodeOf = (address: string) => JSON.stringify({ address, name: `n@${address}` });
const has = (wanted: string) => (addresses: readonly string[]) => addresses.includes(wanted);

const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

function start(options: Partial<EtcdOptions>, self = SELF): ProviderRun {
  const provider = Providers.etcd({ ...QUICK, endpoints: [server?.url ?? ""], ...options });
  const run = new ProviderRun(provider, { self });
  closes.push(async () => {
    await run.abort();
    await provider.close?.();
  });
  return run;
}

async function relayTo(target?: string): Promise<RelayServer> {
  const relay = await RelayServer.open(target);
  closes.push(async () => relay.close());
  return relay;
}

class EtcdScene implements ProviderScene {
  readonly isComplete = true;
  readonly #server: EtcdServer;

  constructor(etcd: EtcdServer) {
    this.#server = etcd;
  }

  provider() {
    return Providers.etcd({ ...QUICK, endpoints: [this.#server.url] });
  }

  async publish(addresses: readonly string[]): Promise<void> {
    const wanted = new Set(addresses.map((address) => `${PREFIX}${address}`));
    for (const key of await this.#server.keys(PREFIX)) {
      if (!wanted.has(key)) await this.#server.clear(key);
    }
    for (const address of addresses) await this.#server.put(`${PREFIX}${address}`, nodeOf(address));
  }

  async close(): Promise<void> {
    await this.#server.clear(PREFIX);
  }
}

if (server !== undefined) {
  describeProvider("etcd", new EtcdScene(server), {
    failing: {
      begin: async () => server.kill(),
      end: async () => void (await server.begin()),
    },
    hanging: {
      begin: async () => server.freeze(),
      end: async () => server.thaw(),
    },
    poison: async () => {
      for (const [at, value] of [
        "",
        "example.org:7000",
        "{",
        '{"address":7}',
        "\0\x1b",
      ].entries()) {
        await server.put(`${PREFIX}odd-${at}`, value);
      }
      await server.put(`${PREFIX}a/b@é\n`, "10.1.0.9:0");
    },
    announced: async () => {
      const keys = await server.keys(PREFIX);
      return keys.map((key) => decodeURIComponent(key.slice(PREFIX.length)));
    },
  });
}

describe.skipIf(server === undefined)("etcd", () => {
  const etcd = server as EtcdServer;

  test("nodes find each other by what they write, and clusters are apart", async () => {
    const nodeAt = (name: string, cluster: string, address: string) => ({
      ...SELF,
      name,
      cluster,
      address,
    });
    const a = start({}, nodeAt("a/1", "shop", "10.2.0.1:7000"));
    const b = start({}, nodeAt("b", "shop", "10.2.0.2:7000"));
    const other = start({}, nodeAt("c", "shop/a", "10.2.0.3:7000"));
    await a.until(has("10.2.0.2:7000"));
    await b.until(has("10.2.0.1:7000"));
    expect(b.sets.at(-1)?.candidates).toEqual([{ address: "10.2.0.1:7000", name: "a/1" }]);
    await other.until(() => other.sets.length > 0);
    expect(other.addresses()).toEqual([]);
  });

  test("a node that is gone without a word is forgotten with its lease", async () => {
    const here = start({});
    const gone = new ProviderRun(Providers.etcd({ ...QUICK, endpoints: [etcd.url] }), {
      self: { ...SELF, name: "gone", address: "10.2.0.7:7000" },
    });
    await here.until(has("10.2.0.7:7000"));
    await gone.abort();
    await here.until((addresses) => !has("10.2.0.7:7000")(addresses));
  });

  test("a lease that was ended by somebody else is made anew", async () => {
    const here = start({});
    const watched = start({}, { ...SELF, name: "watched", address: "10.2.0.8:7000" });
    await here.until(has("10.2.0.8:7000"));
    await watched.until(() => watched.sets.length > 0);
    const { leases } = await etcd.call("lease/leases", {});
    for (const { ID } of leases as { readonly ID: string }[])
      await etcd.call("lease/revoke", { ID });
    await here.until((addresses) => !has("10.2.0.8:7000")(addresses));
    await here.until(has("10.2.0.8:7000"));
  });

  test("a revision that is compacted away before the watch has all read anew", async () => {
    const relay = await relayTo(etcd.url);
    let compactions = 0;
    relay.interfere = async (path) => {
      if (path !== "/v3/watch" || compactions > 0) return false;
      compactions += 1;
      await etcd.put(`${PREFIX}missed`, "10.2.0.9:7000");
      const answer = await etcd.call("kv/range", { key: "AA==" });
      const { revision } = answer["header"] as { readonly revision: string };
      await etcd.put(`${PREFIX}later`, "10.2.0.10:7000");
      await etcd.call("kv/compaction", { revision: `${Number(revision) + 1}` });
      return false;
    };
    const run = start({ endpoints: [relay.url] });
    await run.until((all) => has("10.2.0.9:7000")(all) && has("10.2.0.10:7000")(all));
    expect(compactions).toBe(1);
    await etcd.clear(`${PREFIX}missed`);
    await run.until((all) => !has("10.2.0.9:7000")(all));
    await etcd.clear(PREFIX);
  });

  test("a server that fails is left for the next one", async () => {
    const relay = await relayTo(etcd.url);
    const run = start({ endpoints: [relay.url, etcd.url] });
    await run.until(() => run.sets.length > 0);
    await relay.close();
    const sets = run.sets.length;
    await run.until(() => run.sets.length > sets);
    expect(run.notes.get("endpointFailed")).toBe(1);
    await etcd.put(`${PREFIX}new`, "10.2.0.11:7000");
    await run.until(has("10.2.0.11:7000"));
    await etcd.clear(PREFIX);
  });

  test("10,000 keys are one complete set, for who watched and for who comes later", async () => {
    const run = start({});
    await run.until(() => run.sets.length > 0);
    const keys = Array.from({ length: 10_000 }, (_, number) => {
      const address = `10.3.${number >> 8}.${number & 255}:7000`;
      return { requestPut: { key: key64(`many-${number}`), value: base64(address) } };
    });
    for (let at = 0; at < keys.length; at += 100) {
      await etcd.call("kv/txn", { success: keys.slice(at, at + 100) });
    }
    await run.until((all) => all.length === 10_000);
    const late = start({}, { ...SELF, name: "late" });
    await late.until((all) => all.length >= 10_000);
    expect(late.sets.every(({ isComplete }) => isComplete)).toBe(true);
    await etcd.clear(PREFIX);
    await run.until((all) => all.length <= 2);
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function key64(name: string): string {
  return base64(`${PREFIX}${name}`);
}

describe.skipIf(server === undefined)("etcd with users, with TLS, and behind what lies", () => {
  const etcd = server as EtcdServer;

  test("a password is proven, a token that is forgotten is fetched anew", async () => {
    const own = (await EtcdServer.start()) as EtcdServer;
    closes.push(async () => own.close());
    const root = { name: "root", password: "swordfish" };
    await own.call("auth/user/add", root);
    await own.call("auth/role/add", { name: "root" });
    await own.call("auth/user/grant", { user: "root", role: "root" });
    await own.call("auth/user/add", { name: "guest", password: "guest" });
    await own.call("auth/enable", {});
    const relay = await relayTo(own.url);
    const asked: string[] = [];
    let renewed = (): void => {};
    const isRenewed = new Promise<void>((resolve) => {
      renewed = resolve;
    });
    relay.interfere = (path, response) => {
      if (asked.includes("forgotten")) asked.push(path);
      if (path !== "/v3/lease/keepalive") return false;
      if (asked.length > 0) {
        renewed();
        return false;
      }
      asked.push("forgotten");
      response.writeHead(401).end('{"error":"etcdserver: invalid auth token","code":16}');
      return true;
    };
    const folder = mkdtempSync(join(tmpdir(), "foundation-password-"));
    closes.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "password"), "swordfish\n");
    const password = `file:${join(folder, "password")}`;
    const run = start({ endpoints: [relay.url], user: "root", password });
    const peer = { ...SELF, name: "peer", address: "10.2.0.12:7000" };
    start({ endpoints: [own.url], user: "root", password: "swordfish" }, peer);
    await run.until(has("10.2.0.12:7000"));
    await within(isRenewed, "a renewal with a token that is not forgotten", 20_000);
    expect(asked.slice(0, 3)).toEqual([
      "forgotten",
      "/v3/auth/authenticate",
      "/v3/lease/keepalive",
    ]);
    for (const [user, text] of [
      ["root", /authentication failed/],
      ["guest", /permission denied/],
    ] as const) {
      const refused = start({ endpoints: [own.url], user, password: "guest" });
      await refused.ended();
      expect(refused.failure).toMatchObject({ code: "discovery_failed" });
      expect(`${refused.failure}`).toMatch(text);
    }
    const nobody = start({ endpoints: [own.url] });
    await nobody.ended();
    expect(nobody.failure).toMatchObject({ code: "discovery_failed" });
  });

  test("by TLS with an authority and a certificate of its own", async () => {
    const folder = mkdtempSync(join(tmpdir(), "foundation-tls-"));
    closes.push(() => rmSync(folder, { recursive: true }));
    const { cert, key } = await selfSigned(folder);
    const own = await EtcdServer.start("https", [
      ...["--cert-file", cert, "--key-file", key],
      ...["--client-cert-auth", "--trusted-ca-file", cert],
    ]);
    closes.push(async () => own?.close());
    const endpoints = [own?.url ?? ""];
    const tls = { caFile: cert, certFile: cert, keyFile: key };
    const run = start({ endpoints, tls });
    await run.until(() => run.sets.length > 0);
    const untrusting = start({ endpoints });
    await untrusting.ended();
    expect(`${untrusting.failure}`).toMatch(/certificate/);
    const unknown = start({ endpoints, tls: { caFile: cert } });
    await unknown.ended();
    expect(unknown.failure).toMatchObject({ code: "discovery_failed" });
  });

  test.each([
    ["no JSON", 200, "<html>"],
    ["no revision", 200, "{}"],
    ["half a word", 200, '{"header":{"revision":"5"},"kvs":[{"key":"Zm'],
    ["a list", 200, "[]"],
    ["nothing", 200, "null"],
    ["a page of a proxy", 502, "<html>"],
    ["that it is forbidden", 403, '{"error":"etcdserver: permission denied","code":7}'],
    ["more than is read", 200, " ".repeat(17 * 1024 * 1024)],
  ])("a server that answers a reading with %s is an error", async (_, status, body) => {
    const relay = await relayTo(etcd.url);
    relay.interfere = (path, response) => {
      if (path !== "/v3/kv/range") return false;
      response.writeHead(status).end(body);
      return true;
    };
    const run = start({ endpoints: [relay.url], timeoutMs: 10_000 });
    await run.ended();
    expect(run.failure).toMatchObject({ code: "discovery_failed" });
    expect(run.sets).toEqual([]);
  });

  test("a connection that is cut in the middle of a watch is an error", async () => {
    const relay = await relayTo(etcd.url);
    relay.interfere = (path, response) => {
      if (path !== "/v3/watch") return false;
      response.writeHead(200).write('{"result":{"events":[{"kv":{"key":"Zm');
      setImmediate(() => response.destroy());
      return true;
    };
    const run = start({ endpoints: [relay.url] });
    await run.ended();
    expect(run.failure).toMatchObject({ code: "discovery_failed" });
    expect(run.sets).toHaveLength(1);
  });
});
