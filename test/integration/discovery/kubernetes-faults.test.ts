import { readFile, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { type KubernetesOptions, Providers } from "foundation-runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../ts/base/manual-clock.ts";
import { CertificateAuthority } from "../../servers/certificates.mjs";
import { endpoint, objectsFor, SELECTOR, slice } from "./kubernetes-objects.ts";
import { json, KubernetesServer, refuse } from "./kubernetes-server.ts";
import { ProviderRun } from "./provider-contract.ts";

const FIRST = ["10.1.0.1:7000", "10.1.0.2:7000"];
const SECOND = ["10.1.0.2:7000", "10.1.0.3:7000"];

let server: KubernetesServer;
let runs: ProviderRun[];

beforeEach(async () => {
  server = await KubernetesServer.start();
  server.replace("endpointslices", objectsFor("endpointSlices", FIRST));
  runs = [];
});

afterEach(async () => {
  await Promise.all(runs.map(async (run) => run.abort()));
  await server.close();
});

function start(
  more: KubernetesOptions = {},
  context: ConstructorParameters<typeof ProviderRun>[1] = {},
): ProviderRun {
  const { master, account } = server;
  const options = { master, serviceAccountPath: account, selector: SELECTOR };
  const run = new ProviderRun(
    Providers.kubernetes({ ...options, port: "cluster", ...more }),
    context,
  );
  runs.push(run);
  return run;
}

function is(wanted: readonly string[]): (addresses: readonly string[]) => boolean {
  return (addresses) => addresses.join() === wanted.join();
}

/** A run that has failed, which no list of addresses came of. */
async function failed(run: ProviderRun, text: RegExp): Promise<void> {
  await run.ended();
  expect(run.failure).toMatchObject({ code: "discovery_failed" });
  expect((run.failure as Error).message).toMatch(text);
  expect(run.sets).toEqual([]);
}

/** The next watch, once there is one more than so many. */
async function watchAfter(count: number): Promise<URL> {
  await expect.poll(() => server.watches.length, { timeout: 10_000 }).toBeGreaterThan(count);
  return server.watches.at(-1) as URL;
}

test("10,000 endpoints come in pages, and are one set", async () => {
  const slices = Array.from({ length: 100 }, (_, one) =>
    slice(
      `web-${one}`,
      Array.from({ length: 100 }, (__, two) => endpoint(`10.2.${one}.${two}`)),
    ),
  );
  server.replace("endpointslices", slices);
  const run = start({ pageItems: 30 });
  expect(await run.until((addresses) => addresses.length > 0)).toHaveLength(10_000);
  expect(run.sets[0]?.isComplete).toBe(true);
  const asked = server.lists.map((url) => url.searchParams.get("limit"));
  expect(asked).toEqual(["30", "30", "30", "30"]);
  expect(server.lists.map((url) => url.searchParams.has("continue"))).toEqual([
    false,
    true,
    true,
    true,
  ]);
});

test("of more than 16,384 endpoints the rest is counted, and not said to be gone", async () => {
  const ips = Array.from({ length: 17_000 }, (_, at) => `10.3.${at >> 8}.${at & 255}`);
  server.replace("endpointslices", [
    slice(
      "web-0",
      ips.map((ip) => endpoint(ip)),
    ),
  ]);
  const run = start();
  expect(await run.until((addresses) => addresses.length > 0)).toHaveLength(16_384);
  expect(run.sets[0]?.isComplete).toBe(false);
  expect(run.notes.get("overLimit")).toBe(17_000 - 16_384);
});

test("pages that expire on the way are asked for in one", async () => {
  server.put("endpointslices", slice("web-2", [endpoint("10.1.0.4")]));
  let isFirst = true;
  const serve = (_: unknown, response: ServerResponse): void => {
    if (isFirst) {
      const metadata = { resourceVersion: "1", continue: "0/1" };
      json(response, 200, { kind: "EndpointSliceList", metadata, items: [] });
      isFirst = false;
    } else refuse(response, 410, "The provided continue parameter is too old");
  };
  server.next(serve);
  server.next(serve);
  const run = start({ pageItems: 1 });
  await run.until(is([...FIRST, "10.1.0.4:7000"]));
  expect(server.lists.map((url) => url.searchParams.get("limit"))).toEqual(["1", "1", null]);
});

test("a watch that ends in peace is gone on with where the last bookmark was", async () => {
  const run = start();
  await run.until(is(FIRST));
  const first = await watchAfter(0);
  expect(first.searchParams.get("allowWatchBookmarks")).toBe("true");
  // 300 s and half of that, as the random number of the run is 0.5.
  expect(first.searchParams.get("timeoutSeconds")).toBe("450");
  const version = server.bookmark();
  server.endWatches();
  const second = await watchAfter(1);
  expect(second.searchParams.get("resourceVersion")).toBe(version);
  server.replace("endpointslices", objectsFor("endpointSlices", SECOND));
  await run.until(is(SECOND));
  expect(server.lists).toHaveLength(1);
  expect(run.failure).toBeUndefined();
});

test("what happened between two watches is told by the second", async () => {
  const run = start();
  await run.until(is(FIRST));
  await watchAfter(0);
  server.endWatches();
  server.replace("endpointslices", objectsFor("endpointSlices", SECOND));
  await run.until(is(SECOND));
  expect(server.lists).toHaveLength(1);
});

test("a server that was restored to an older version is listed anew", async () => {
  const run = start({ watchMs: 1_000 });
  await run.until(is(FIRST));
  await watchAfter(0);
  server.endWatches();
  server.restore("endpointslices", objectsFor("endpointSlices", SECOND));
  // The next watch says nothing for as long as it was asked to live.
  await run.until(is(SECOND));
  expect(server.lists).toHaveLength(2);
  expect(run.failure).toBeUndefined();
});

test.each(["an event", "a status"])(
  "410 as %s has it list anew: who went meanwhile is gone",
  async (how) => {
    const run = start();
    await run.until(is(FIRST));
    await watchAfter(0);
    if (how === "a status") {
      server.next((_, response) => refuse(response, 410, "too old resource version"));
    }
    server.endWatches();
    server.replace("endpointslices", objectsFor("endpointSlices", SECOND));
    server.compact();
    await run.until(is(SECOND));
    expect(server.lists).toHaveLength(2);
    expect(run.failure).toBeUndefined();
  },
);

test.each([
  ["half a line", (response: ServerResponse) => response.end('{"type":"ADDED","obj'), /middle/],
  ["no JSON", (response: ServerResponse) => response.end("<html>\n"), /no JSON/],
  ["no event", (response: ServerResponse) => response.end("{}\n"), /no event/],
  ["a cut connection", (response: ServerResponse) => response.socket?.destroy(), /aborted/],
  [
    "another error",
    (response: ServerResponse) =>
      response.end('{"type":"ERROR","object":{"code":500,"message":"etcd \\u001b[2J"}}\n'),
    /answers 500 etcd/,
  ],
])("a watch that answers %s is an error, and the last set stays", async (_, end, text) => {
  const run = start();
  await run.until(is(FIRST));
  await watchAfter(0);
  server.next((__, response) => {
    response.writeHead(200);
    response.flushHeaders();
    setImmediate(() => end(response));
  });
  server.endWatches();
  await run.ended();
  expect(run.failure).toMatchObject({ code: "discovery_failed" });
  expect((run.failure as Error).message).toMatch(text);
  expect((run.failure as Error).message).not.toMatch(/\p{C}/u);
  expect(run.addresses()).toEqual(FIRST);
});

const LYING: readonly (readonly [string, number, string, RegExp])[] = [
  ["no JSON", 200, "<html>welcome</html>", /no JSON/],
  ["half of it", 200, '{"kind":"EndpointSliceList","items":[{"meta', /no JSON/],
  ["no list", 200, "{}", /no EndpointSliceList/],
  ["another list", 200, '{"kind":"PodList","metadata":{},"items":[]}', /no EndpointSliceList/],
  ["no items", 200, '{"kind":"EndpointSliceList","metadata":{}}', /no EndpointSliceList/],
  ["no version", 200, '{"kind":"EndpointSliceList","items":[]}', /no resourceVersion/],
  ["a redirect", 302, "", /answers 302/],
  ["an error without words", 500, "", /answers 500/],
];

test.each(LYING)(
  "a server that answers %s is an error, no empty set",
  async (_, code, body, text) => {
    server.next((__, response) => {
      response.writeHead(code, { location: "https://127.0.0.1:1/" });
      response.end(body);
    });
    await failed(start(), text);
  },
);

test.each([
  ["a list", []],
  ["null", null],
])("an empty list, as %s, is a complete set", async (_, items) => {
  server.next((__, response) => {
    const metadata = { resourceVersion: "7" };
    json(response, 200, { kind: "EndpointSliceList", metadata, items });
  });
  const run = start({ watch: false });
  await expect.poll(() => run.sets).toEqual([{ candidates: [], isComplete: true }]);
});

test("a list that is cut off, or comes drop by drop, is an error", async () => {
  server.next((_, response) => {
    response.writeHead(200, { "content-length": 1_000 });
    response.write('{"kind":"EndpointSliceList","items":[]}', () => response.destroy());
  });
  await failed(start(), /aborted/);
  server.next((_, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(drip));
  });
  await failed(start({ timeoutMs: 500 }), /no answer within 500 ms/);
});

test("more than 8 MiB are not read, in a page or in a line", async () => {
  const much = Buffer.alloc(1 << 20, 32);
  const flood = (_: unknown, response: ServerResponse): void => {
    response.writeHead(200);
    const more = (): void => {
      if (!response.destroyed) response.write(much, more);
    };
    more();
  };
  server.next(flood);
  await failed(start(), /more than 8388608 bytes; narrow the selector or lower pageItems/);
  const run = start();
  await run.until(is(FIRST));
  await watchAfter(0);
  server.next(flood);
  server.endWatches();
  await run.ended();
  expect(run.failure).toMatchObject({ code: "discovery_failed" });
  expect(run.addresses()).toEqual(FIRST);
});

test("a watch that the server does not end is an error", async () => {
  const clock = new ManualClock();
  const run = start({ watchMs: 10_000, timeoutMs: 5_000 }, { clock });
  await run.until(is(FIRST));
  await watchAfter(0);
  await expect.poll(() => clock.pending).toBe(1);
  // 10 s and half of that, as the random number of the run is 0.5.
  clock.advance(19_999);
  server.replace("endpointslices", objectsFor("endpointSlices", SECOND));
  await run.until(is(SECOND));
  clock.advance(1);
  await run.ended();
  expect(run.failure).toMatchObject({ code: "discovery_failed" });
  expect((run.failure as Error).message).toMatch(/did not end within 15000 ms/);
  expect(clock.pending).toBe(0);
});

test("403 says which rights are wanting", async () => {
  await failed(start({ namespace: "other" }), /answers 403 .* rights get, list and watch/);
});

test("an expired token is an error; the next run reads the new one", async () => {
  server.token = "second";
  await failed(start(), /answers 401 .* token/);
  await writeFile(join(server.account, "token"), "second\n");
  await start().until(is(FIRST));
});

test("a token that is replaced is used from the next request on", async () => {
  const run = start();
  await run.until(is(FIRST));
  await watchAfter(0);
  server.token = "second";
  await writeFile(join(server.account, "token"), "second\n");
  server.endWatches();
  await watchAfter(1);
  server.replace("endpointslices", objectsFor("endpointSlices", SECOND));
  await run.until(is(SECOND));
});

test("a server of another authority gets no token, unless it is asked for", async () => {
  await writeFile(join(server.account, "ca.crt"), new CertificateAuthority().certificate);
  await failed(start(), /certificate|verify/);
  expect(server.requests).toEqual([]);
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  await start({ insecureSkipTlsVerify: true }).until(is(FIRST));
  expect(await warned).toMatchObject({ code: "FOUNDATION_INSECURE" });
});

test("no service account is an error that names the file", async () => {
  await failed(start({ serviceAccountPath: join(server.account, "nowhere") }), /nowhere/);
});

test("nobody at the address is an error", async () => {
  await failed(start({ master: "127.0.0.1:1" }), /ECONNREFUSED/);
});

test("an abort closes every connection", async () => {
  const run = start();
  await run.until(is(FIRST));
  await watchAfter(0);
  expect(server.connections).toBeGreaterThan(0);
  await run.abort();
  await server.idle();
  expect(server.connections).toBe(0);
});

test("a prefix of the master, the service and the cache are in what is asked", async () => {
  server.next((_, response) => {
    const metadata = { resourceVersion: "7" };
    json(response, 200, { kind: "EndpointsList", metadata, items: [] });
  });
  const run = start({
    source: "endpoints",
    master: `https://${server.master}/k8s/clusters/c-1/`,
    selector: undefined as never,
    serviceName: "web",
    useCachedResources: true,
    watch: false,
  });
  await expect.poll(() => run.sets.length).toBe(1);
  expect(server.requests.map(({ pathname }) => pathname)).toEqual([
    "/k8s/clusters/c-1/api/v1/namespaces/shop/endpoints",
  ]);
  expect(Object.fromEntries(server.requests[0]?.searchParams ?? [])).toEqual({
    fieldSelector: "metadata.name=web",
    resourceVersion: "0",
    limit: "100",
  });
});

test("who is about to end is draining; of two that tell of one, who stays counts", async () => {
  const ending = { ready: false, terminating: true };
  server.replace("endpointslices", [
    slice("web-1", [endpoint("10.1.0.1", ending), endpoint("10.1.0.2")]),
    slice("web-2", [endpoint("10.1.0.2", ending), endpoint("10.1.0.3", { ready: false })]),
  ]);
  const run = start({ basename: "app" });
  await run.until(is(FIRST));
  expect(run.sets[0]?.candidates).toEqual([
    { address: "10.1.0.1:7000", name: "app@10.1.0.1", isDraining: true },
    { address: "10.1.0.2:7000", name: "app@10.1.0.2" },
  ]);
  expect(Object.fromEntries(run.notes)).toEqual({ notReady: 1 });
  server.replace("endpointslices", [slice("web-1", [endpoint("10.1.0.2")])]);
  await run.until(is(["10.1.0.2:7000"]));
});

function byKubeconfig(options: KubernetesOptions): ProviderRun {
  const run = new ProviderRun(Providers.kubernetes({ selector: SELECTOR, ...options }));
  runs.push(run);
  return run;
}

test("a kubeconfig: another context, no such one, no such file, no https", async () => {
  const kubeconfig = await server.kubeconfig();
  const unknown = byKubeconfig({ kubeconfig, kubeContext: "unknown" });
  await failed(unknown, /by kubeconfig: it answers 401 .* token of the user of the kubeconfig/);
  await failed(byKubeconfig({ kubeconfig, kubeContext: "nobody" }), /no cluster for 'nobody'/);
  await failed(byKubeconfig({ kubeconfig: `${kubeconfig}.gone` }), /ENOENT/);
  const plain = `${kubeconfig}.plain`;
  await writeFile(plain, (await readFile(kubeconfig, "utf8")).replace("https:", "http:"));
  await failed(byKubeconfig({ kubeconfig: plain }), /only https is spoken/);
});

test("a kubeconfig is read anew", async () => {
  const kubeconfig = await server.kubeconfig();
  const provider = Providers.kubernetes({ selector: SELECTOR, kubeconfig, port: "cluster" });
  for (const token of ["first", "second"]) {
    server.token = token;
    await server.kubeconfig();
    const run = new ProviderRun(provider);
    runs.push(run);
    expect(await run.until(is(FIRST))).toEqual(FIRST);
  }
});

test("a kubeconfig says what else would be said by options", () => {
  const refused = { code: "invalid_options" };
  for (const more of [
    { master: "127.0.0.1" },
    { serviceAccountPath: "/x" },
    { insecureSkipTlsVerify: true },
    { kubeContext: "" },
    { kubeconfig: "" },
    { kubeconfig: false as never },
  ]) {
    const options = { selector: SELECTOR, kubeconfig: "x", ...more };
    expect(() => Providers.kubernetes(options)).toThrow(expect.objectContaining(refused));
  }
  const alone = { selector: SELECTOR, kubeContext: "here" };
  expect(() => Providers.kubernetes(alone)).toThrow(/one of a kubeconfig/);
});
