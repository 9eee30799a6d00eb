#!/usr/bin/env node
// By hand: node test/servers/record-consul.mjs PATH_OF_CONSUL
//
// Starts that consul, registers instances through its API, has Providers.consul look for them and
// register itself, and writes what both said to test/fixtures/consul/, which CI serves. How the
// server is built is in docs/testing.md.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Providers } from "foundation-runtime";
import { ConsulServer } from "./consul-server.mjs";
import { RecordedRun } from "./recorded-run.mjs";
import { RecordingProxy } from "./recording-proxy.mjs";

const FIXTURES = fileURLToPath(new URL("../fixtures/consul/", import.meta.url));
const SELF = {
  ...{ name: "self", cluster: "shop", address: "10.9.9.9:7000", host: "10.9.9.9", port: 7_000 },
};
const OWN_ID = "foundation-shop-self";
const LOOKS = { register: false };
const ONE = "10.1.0.1:7100";
const TWO = "10.1.0.2:7100";
const THREE = "10.1.0.3:7100";

const [program] = process.argv.slice(2);
assert.ok(program, "which consul?");
const scenes = [];

/** One run of the provider through the proxy, while `act` changes what is there. */
async function scene(consul, title, { token, ...options }, act) {
  const proxy = new RecordingProxy({ port: consul.port });
  await proxy.listen();
  const given = { service: "shop", ...options };
  const secret = token === undefined ? {} : { token };
  const address = `http://${proxy.host}`;
  const provider = Providers.consul({ ...given, ...secret, address });
  const run = new RecordedRun(title, provider, SELF);
  await act(run, proxy);
  await run.stop();
  await provider.close?.();
  proxy.close();
  const failure = run.failure && {
    ...run.failure,
    message: run.failure.message.replace(proxy.host, "HOST"),
  };
  // No token is written, be it one of an agent that is gone.
  const told = { ...given, ...(token !== undefined && { token: "of the recording" }) };
  const last = run.sets.at(-1);
  scenes.push({ title, options: told, exchanges: proxy.take(), last, failure });
  process.stdout.write(`recorded: ${title}\n`);
}

function instance(name, address, more = {}) {
  const [Address, port] = address.split(":");
  return { ID: name, Name: "shop", Address, Port: Number(port), ...more };
}

async function put(consul, ...of) {
  await consul.must("PUT", "/v1/agent/service/register", instance(...of));
}

const isHeld = (proxy) => () => proxy.exchanges.at(-1)?.status === 0;

async function recordChanges(consul) {
  await put(consul, "one", ONE);
  await put(consul, "two", TWO, { Tags: ["blue"] });
  const options = { ...LOOKS, waitMs: 1_500 };
  await scene(consul, "questions that are held until something changes", options, async (...of) => {
    const [run, proxy] = of;
    await run.told([ONE, TWO]);
    await run.until("a held question", isHeld(proxy));
    await put(consul, "three", THREE);
    await run.told([ONE, TWO, THREE]);
    const paths = () => proxy.exchanges.map(({ path }) => path);
    await run.until("a question again", () => paths().at(-1) === paths().at(-2));
    await run.until("a held question", isHeld(proxy));
    await consul.must("PUT", "/v1/agent/service/deregister/three");
    await run.told([ONE, TWO]);
  });
  const blue = { ...LOOKS, tag: "blue", datacenter: "dc1" };
  await scene(consul, "a tag and a datacenter", blue, async (run) => run.told([TWO]));
  const nobody = { ...LOOKS, service: "nobody" };
  await scene(consul, "a service that nobody has", nobody, async (run, proxy) => {
    await run.told([]);
    await run.until("a held question", isHeld(proxy));
  });
}

async function recordHealth(consul) {
  const Check = { CheckID: "of-one", TTL: "10m", Status: "passing" };
  await put(consul, "one", ONE, { Check });
  await scene(consul, "checks that warn, fail and expire", LOOKS, async (run, proxy) => {
    await run.told([ONE, TWO]);
    await consul.must("PUT", "/v1/agent/check/warn/of-one");
    await run.told([TWO]);
    await consul.must("PUT", "/v1/agent/check/pass/of-one");
    await run.told([ONE, TWO]);
    await consul.must("PUT", "/v1/agent/check/fail/of-one");
    await run.told([TWO]);
    await put(consul, "three", THREE, { Check: { TTL: "3s", Status: "passing" } });
    await run.told([TWO, THREE]);
    await run.told([TWO]);
    await run.until("a held question", isHeld(proxy));
  });
  const all = { ...LOOKS, passingOnly: false };
  await scene(consul, "all, whatever their checks say", all, async (run) =>
    run.told([ONE, TWO, THREE]),
  );
  await consul.must("PUT", "/v1/agent/service/deregister/three");
  await consul.must("PUT", "/v1/agent/check/pass/of-one");
  const draining = (run) => run.sets.at(-1).candidates.filter((it) => it.isDraining).length;
  await scene(consul, "maintenance of an instance and of its machine", LOOKS, async (run) => {
    await run.told([ONE, TWO]);
    await consul.must("PUT", "/v1/agent/service/maintenance/two?enable=true");
    await run.until("one is draining", () => draining(run) === 1);
    await consul.must("PUT", "/v1/agent/maintenance?enable=true");
    await run.until("all are draining", () => draining(run) === 2);
    await consul.must("PUT", "/v1/agent/service/maintenance/two?enable=false");
    await consul.must("PUT", "/v1/agent/maintenance?enable=false");
    await run.until("none is draining", () => draining(run) === 0);
  });
}

const puts = (proxy, what) =>
  proxy.exchanges.filter(({ path, status }) => path.includes(what) && status !== 0);

async function recordRegistration(consul, title, options) {
  await scene(consul, title, { ttlMs: 1_000, ...options }, async (run, proxy) => {
    await run.told([ONE, TWO]);
    await run.until("a renewal", () => puts(proxy, "/check/pass/").length > 1);
    await consul.must("PUT", `/v1/agent/service/deregister/${OWN_ID}`);
    await run.until("it registers again", () => puts(proxy, "/service/register").length === 2);
    await run.until("a renewal", () => puts(proxy, "/check/pass/").at(-1).status === 200);
    await run.until("it sees itself", () => run.sets.at(-1).knowsSelf === true);
  });
}

/** An instance of another machine, which the agent knows nothing of. */
async function putFar(consul, Node, address) {
  const { Name, ID, Address, Port } = instance(Node, address);
  const Service = { ID, Service: Name, Address, Port };
  await consul.must("PUT", "/v1/catalog/register", { Node, Address, Service });
}

async function recordRestore(consul) {
  await putFar(consul, "far-1", "10.2.0.1:7100");
  const kept = await consul.call("GET", "/v1/snapshot");
  const before = ["10.1.0.1:7100", "10.1.0.2:7100", "10.2.0.1:7100"];
  await scene(consul, "an index that goes back: a snapshot", LOOKS, async (run, proxy) => {
    await run.told(before);
    await putFar(consul, "far-2", "10.2.0.2:7100");
    await putFar(consul, "far-3", "10.2.0.3:7100");
    await run.told([...before, "10.2.0.2:7100", "10.2.0.3:7100"]);
    await run.until("a held question", isHeld(proxy));
    const { status } = await consul.call("PUT", "/v1/snapshot", kept.body);
    assert.equal(status, 200);
    await run.told(before);
    await putFar(consul, "far-4", "10.2.0.4:7100");
    await run.told([...before, "10.2.0.4:7100"]);
  });
}

/** Straight to the agent, which wants a certificate of its clients. */
async function checkTls(consul) {
  const address = `https://127.0.0.1:${consul.tlsPort}`;
  const look = (tls) => Providers.consul({ service: "shop", ...LOOKS, address, tls });
  const { caFile } = consul.tls;
  const run = new RecordedRun("TLS", look(consul.tls), SELF);
  await run.until("candidates by TLS", () => run.sets.at(-1)?.candidates.length > 0);
  await run.stop();
  const refused = new RecordedRun("TLS without a certificate", look({ caFile }), SELF);
  await refused.ended;
  assert.match(refused.failure?.message ?? "", /alert|ECONNRESET|certificate/i);
  process.stdout.write(`by TLS: taken, and without a certificate: ${refused.failure.message}\n`);
}

async function withConsul(settings, act) {
  const consul = new ConsulServer(program);
  try {
    const config = typeof settings === "function" ? settings(consul) : settings;
    await consul.start(config);
    await act(consul);
  } finally {
    await consul.close();
  }
}

async function recordOpen(consul) {
  await consul.leads();
  await recordChanges(consul);
  await recordHealth(consul);
  await recordRegistration(consul, "registered, renewed, forgotten, registered again", {});
  await scene(consul, "taken back by somebody else", {}, async (run) => {
    await run.told([ONE, TWO]);
    await consul.must("PUT", `/v1/agent/service/deregister/${OWN_ID}`);
  });
  await checkTls(consul);
  const elsewhere = { ...LOOKS, datacenter: "nowhere" };
  const title = "a datacenter that is not there";
  await scene(consul, title, elsewhere, async (run) => run.ended);
  await recordRestore(consul);
}

const closed = ({ master }) => ({
  acl: {
    ...{ enabled: true, default_policy: "deny" },
    tokens: { initial_management: master, agent: master },
  },
});

async function makeToken(consul, name, rules) {
  await consul.must("PUT", "/v1/acl/policy", { Name: name, Rules: rules });
  const token = { Description: name, Policies: [{ Name: name }] };
  return consul.must("PUT", "/v1/acl/token", token);
}

async function recordClosed(consul) {
  await consul.leads();
  await put(consul, "one", ONE);
  await put(consul, "two", TWO);
  await scene(consul, "no token, to look", LOOKS, async (run) => run.ended);
  await scene(consul, "no token, to register", {}, async (run) => run.ended);
  const unknown = { ...LOOKS, token: "0a51b6e0-6d1c-4b0c-8b6f-0d1d6a5f6f10" };
  await scene(consul, "a token that is none", unknown, async (run) => run.ended);
  const write = 'service "shop" { policy = "write" }';
  const both = await makeToken(consul, "both", `${write} node_prefix "" { policy = "read" }`);
  const half = await makeToken(consul, "half", write);
  await recordRegistration(consul, "a token of both rights", { token: both.SecretID });
  const blind = { ...LOOKS, token: half.SecretID };
  await scene(consul, "a token without node:read", blind, async (run) => run.ended);
  await putFar(consul, "far-1", "10.2.0.1:7100");
  const far = await makeToken(consul, "far", `${write} node "far-1" { policy = "read" }`);
  const looks = { ...LOOKS, token: far.SecretID };
  await scene(consul, "a token that may read some machines", looks, async (run, proxy) => {
    await run.told(["10.2.0.1:7100"]);
    await run.until("a held question", isHeld(proxy));
    await putFar(consul, "far-1", "10.2.0.1:7200");
    await run.told(["10.2.0.1:7200"]);
  });
  await consul.must("PUT", "/v1/catalog/deregister", { Node: "far-1" });
  const ending = { ...LOOKS, token: both.SecretID, waitMs: 1_500 };
  await scene(consul, "a token that is taken back", ending, async (run, proxy) => {
    await run.told([ONE, TWO]);
    await run.until("a held question", isHeld(proxy));
    await consul.must("DELETE", `/v1/acl/token/${both.AccessorID}`);
    await run.ended;
  });
}

let version;
await withConsul({}, async (consul) => {
  await recordOpen(consul);
  version = (await consul.must("GET", "/v1/agent/self")).Config.Version;
});
await withConsul(closed, recordClosed);
await withConsul({ bootstrap_expect: 3 }, async (consul) => {
  const patient = { ...LOOKS, timeoutMs: 60_000 };
  await scene(consul, "an agent without a leader", patient, async (run) => run.ended);
});
mkdirSync(FIXTURES, { recursive: true });
const file = join(FIXTURES, `consul-${version}.json`);
const recording = { versions: { consul: version }, self: SELF, scenes };
writeFileSync(file, `${JSON.stringify(recording, undefined, 2)}\n`);
process.stdout.write(`${file}: ${scenes.length} scenes\n`);
