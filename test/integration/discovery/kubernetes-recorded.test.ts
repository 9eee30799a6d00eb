import { type KubernetesOptions, Providers } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KubernetesServer } from "./kubernetes-server.ts";
import { ProviderRun } from "./provider-contract.ts";
import { failureOf, recordingsOf, replay, sorted } from "./recordings.ts";

// Written by test/servers/record-kubernetes.mjs.
const RECORDINGS = recordingsOf<Omit<KubernetesOptions, "selector">>("kubernetes");
const WAIT = { timeout: 20_000 };

let server: KubernetesServer;

beforeEach(async () => {
  server = await KubernetesServer.start();
});

afterEach(async () => server.close());

test("there is something recorded", () => {
  expect(RECORDINGS.flatMap(({ scenes }) => scenes).length).toBeGreaterThan(5);
});

describe.each(RECORDINGS)("what kube-apiserver $versions.kubeApiserver said", ({ scenes }) => {
  test.each(scenes)("$title", async ({ options, exchanges, last, failure }) => {
    for (const exchange of exchanges) server.next((_, response) => replay(exchange, response));
    const { master, account } = server;
    const provider = Providers.kubernetes({
      ...{ master, serviceAccountPath: account, selector: "app=web" },
      ...options,
    });
    const run = new ProviderRun(provider);
    if (failure !== undefined) {
      await run.ended();
      expect(failureOf(run.failure, master)).toEqual(failure);
    }
    const paths = exchanges.map(({ path }) => path);
    const all = () => server.requests.map((url) => `${url.pathname}${url.search}`);
    await expect.poll(() => all().slice(0, paths.length), WAIT).toEqual(paths);
    await expect.poll(() => sorted(run.sets.at(-1)), WAIT).toEqual(sorted(last));
    await run.abort();
  });
});
