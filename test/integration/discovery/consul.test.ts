import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type ConsulOptions, Providers } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { ConsulStub } from "./consul-stub.ts";
import { describeProvider, ProviderRun, type ProviderScene, SELF } from "./provider-contract.ts";

const QUICK = { service: "shop", ttlMs: 1_000, waitMs: 1_000, timeoutMs: 1_000 };
const has = (wanted: string) => (addresses: readonly string[]) => addresses.includes(wanted);
const lacks = (wanted: string) => (addresses: readonly string[]) => !addresses.includes(wanted);

const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

function instanceAt(address: string, more: object = {}) {
  const [host = "", port] = address.split(":");
  return { ID: address, Name: "shop", Address: host, Port: Number(port), ...more };
}

class ConsulScene implements ProviderScene {
  readonly isComplete = true;
  readonly stub: ConsulStub;

  constructor(stub: ConsulStub) {
    this.stub = stub;
  }

  provider() {
    return Providers.consul({ ...QUICK, address: this.stub.url });
  }

  async publish(addresses: readonly string[]): Promise<void> {
    for (const { ID } of this.stub.instances) {
      if (!addresses.includes(ID) && !ID.startsWith("foundation-")) this.stub.remove(ID);
    }
    for (const address of addresses) this.stub.put(instanceAt(address));
  }

  async close(): Promise<void> {
    await this.stub.close();
  }
}

const scene = new ConsulScene(await ConsulStub.open());
describeProvider("consul", scene, {
  failing: {
    begin: async () => {
      scene.stub.answer((response) => response.writeHead(500).end("No cluster leader"));
    },
    end: async () => scene.stub.resume(),
  },
  hanging: {
    begin: async () => scene.stub.answer(() => {}),
    end: async () => scene.stub.resume(),
  },
  poison: async () => {
    scene.stub.put({ ...instanceAt("10.1.0.8:7000"), ID: "a", Address: "example.org" });
    scene.stub.put({ ...instanceAt("10.1.0.8:7000"), ID: "b", Address: "\u0000é\u001b" });
    scene.stub.put({ ...instanceAt("10.1.0.8:7000"), ID: "c", Port: 70_000 });
  },
  announced: async () =>
    scene.stub.instances.map(({ Meta, ID }) => Meta?.["foundation-name"] ?? ID),
});

async function open(): Promise<ConsulStub> {
  const stub = await ConsulStub.open();
  closes.push(async () => stub.close());
  return stub;
}

function start(stub: ConsulStub, options: Partial<ConsulOptions> = {}, self = SELF): ProviderRun {
  const provider = Providers.consul({ ...QUICK, address: stub.url, ...options });
  const run = new ProviderRun(provider, { self });
  closes.push(async () => {
    await run.abort();
    await provider.close?.();
  });
  return run;
}

describe("consul", () => {
  test("nodes find each other by what they register, and clusters are apart", async () => {
    const stub = await open();
    const nodeAt = (name: string, cluster: string, host: string) => ({
      ...SELF,
      ...{ name, cluster, host, address: `${host}:7000` },
    });
    const a = start(stub, {}, nodeAt("a", "one", "10.2.0.1"));
    const b = start(stub, { tag: "blue" }, nodeAt("b", "one", "10.2.0.2"));
    const other = start(stub, {}, nodeAt("c", "two", "10.2.0.3"));
    await a.until(has("10.2.0.2:7000"));
    expect(a.sets.at(-1)?.candidates).toEqual([{ address: "10.2.0.2:7000", name: "b" }]);
    await b.until(() => b.sets.length > 0);
    expect(b.addresses()).toEqual([]); // the others have no such tag
    await other.until(() => (other.notes.get("otherCluster") ?? 0) >= 2);
    expect(other.addresses()).toEqual([]);
  });

  test("who does not pass is left out, who is in maintenance is draining", async () => {
    const stub = await open();
    stub.put(instanceAt("10.2.0.1:7000"), { mine: "passing" });
    stub.put(instanceAt("10.2.0.2:7000"), { mine: "warning" });
    stub.put(instanceAt("10.2.0.3:7000"), { "_service_maintenance:x": "critical" });
    stub.put(instanceAt("10.2.0.4:7000"), { _node_maintenance: "critical", mine: "critical" });
    const register = false;
    const run = start(stub, { register });
    await run.until(has("10.2.0.1:7000"));
    expect(run.sets[0]?.candidates).toEqual([
      { address: "10.2.0.1:7000" },
      { address: "10.2.0.3:7000", isDraining: true },
      { address: "10.2.0.4:7000", isDraining: true },
    ]);
    expect(run.notes.get("notPassing")).toBe(1);
    expect(
      await start(stub, { register, passingOnly: false }).until(has("10.2.0.2:7000")),
    ).toHaveLength(4);
    expect(stub.instances).toHaveLength(4);
    stub.put(instanceAt("10.2.0.2:7000"), { mine: "passing" });
    await run.until(has("10.2.0.2:7000"));
  });

  test("questions are held until something changes; an index may go back", async () => {
    const stub = await open();
    stub.put(instanceAt("10.2.0.1:7000"));
    const run = start(stub, { register: false });
    await run.until(has("10.2.0.1:7000"));
    stub.put(instanceAt("10.2.0.2:7000"));
    await run.until(has("10.2.0.2:7000"));
    expect(stub.asked.slice(0, 2)).toEqual([0, 11]);
    stub.index = 2;
    stub.remove("10.2.0.1:7000");
    await run.until(lacks("10.2.0.1:7000"));
    stub.remove("10.2.0.2:7000");
    await run.until(lacks("10.2.0.2:7000"));
    expect(stub.asked).toContain(0);
    expect(stub.asked.filter((index) => index === 0).length).toBeGreaterThan(1);
  });

  test("an agent that has forgotten a node is told again", async () => {
    const stub = await open();
    const run = start(stub);
    await run.until(() => stub.instances.length === 1);
    stub.remove(stub.instances[0]?.ID ?? "");
    await run.until(() => stub.instances.length === 1);
  });

  test("an instance without an address is at its machine, or without a port", async () => {
    const stub = await open();
    stub.put({ ...instanceAt("10.2.0.1:7000"), Address: "", Port: 0 });
    await start(stub, { register: false }).until(has("10.9.9.9:7000"));
    await start(stub, { register: false, port: 7001 }).until(has("10.9.9.9:7001"));
  });

  test("a token is read for each question, from wherever it is", async () => {
    const stub = await open();
    stub.token = "first";
    const folder = mkdtempSync(join(tmpdir(), "foundation-token-"));
    closes.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "token");
    writeFileSync(path, "first\n");
    const run = start(stub, { token: `file:${path}`, register: false, waitMs: 60_000 });
    await run.until(() => run.sets.length > 0);
    // No other question is on its way while the token changes.
    while (stub.asked.length < 2) await setImmediate();
    writeFileSync(path, "second\n");
    stub.token = "second";
    stub.put(instanceAt("10.2.0.1:7000"));
    await run.until(has("10.2.0.1:7000"));
    const asked = stub.asked.length;
    while (stub.asked.length === asked) await setImmediate();
    // Who holds a question with a token that is taken back is told of nothing before it is refused.
    stub.revoke("third");
    await run.ended();
    expect(run.addresses()).toEqual(["10.2.0.1:7000"]);
    expect(run.failure).toMatchObject({ code: "discovery_failed" });
    expect(`${run.failure}`).toMatch(/403/);
    expect(`${run.failure}`).not.toMatch(/second/);
  });

  test("who may see nothing is told so, and not of an empty service", async () => {
    const stub = await open();
    stub.put(instanceAt("10.2.0.1:7000"));
    stub.unreadable.add("10.2.0.1:7000");
    const filtered = start(stub, { register: false });
    await filtered.ended();
    expect(`${filtered.failure}`).toMatch(/token may see no instance; it needs service:read/);
    stub.token = "first";
    const nobody = start(stub, { register: false });
    await nobody.ended();
    expect(`${nobody.failure}`).toMatch(/nothing to who has no token/);
    const writer = start(stub);
    await writer.ended();
    expect(`${writer.failure}`).toMatch(/403 Permission denied/);
    expect([filtered, nobody, writer].flatMap(({ sets }) => sets)).toEqual([]);
    // With a token that may see all, nothing is there: that is an answer.
    stub.remove("10.2.0.1:7000");
    const run = start(stub, { register: false, token: "first" });
    await run.until(() => run.sets.length > 0);
    expect(run.sets[0]).toEqual({ candidates: [], isComplete: true });
  });

  test("what a token may see is not all, though held questions do not say so", async () => {
    const stub = await open();
    stub.put(instanceAt("10.2.0.1:7000"));
    stub.put(instanceAt("10.2.0.2:7000"));
    stub.unreadable.add("10.2.0.2:7000");
    const run = start(stub, { register: false });
    await run.until(has("10.2.0.1:7000"));
    stub.put(instanceAt("10.2.0.3:7000"));
    await run.until(has("10.2.0.3:7000"));
    expect(run.sets.map(({ isComplete }) => isComplete)).not.toContain(true);
  });

  test.each([
    ["half a word", 200, '[{"Service":{"Addr'],
    ["no list", 200, '{"Service":{}}'],
    ["a page of a proxy", 502, "<html>"],
    ["that its token has expired", 403, "ACL not found"],
    ["more than is read", 200, " ".repeat(33 * 1024 * 1024)],
  ])("an agent that answers with %s is an error", async (_, status, body) => {
    const stub = await open();
    stub.answer((response) => response.writeHead(status).end(body));
    const run = start(stub, { register: false, timeoutMs: 10_000 });
    await run.ended();
    expect(run.failure).toMatchObject({ code: "discovery_failed" });
    expect(run.sets).toEqual([]);
  });

  test("a connection that is cut while a question is held is an error", async () => {
    const stub = await open();
    const run = start(stub, { register: false });
    await run.until(() => stub.asked.length > 1);
    stub.answer((response) => response.destroy());
    await run.ended();
    expect(run.failure).toMatchObject({ code: "discovery_failed" });
  });

  test("10,000 instances are one complete set", async () => {
    const stub = await open();
    for (let number = 0; number < 10_000; number++) {
      stub.put(instanceAt(`10.3.${number >> 8}.${number & 255}:7000`));
    }
    const run = start(stub, { register: false, timeoutMs: 10_000 });
    await run.until((all) => all.length === 10_000);
    expect(run.sets[0]?.isComplete).toBe(true);
  });
});
