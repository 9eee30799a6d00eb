import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type CandidateSet, type KubernetesOptions, Providers } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KubernetesServer } from "./kubernetes-server.ts";
import { ProviderRun } from "./provider-contract.ts";

/** What one request was answered; `isOpen` where that had no end, status 0 where nothing came. */
interface Exchange {
  readonly path: string;
  readonly status: number;
  readonly body: string;
  readonly isOpen: boolean;
}

interface Scene {
  readonly title: string;
  readonly options: Omit<KubernetesOptions, "selector">;
  readonly exchanges: readonly Exchange[];
  readonly last?: CandidateSet;
  readonly failure?: { readonly code: string; readonly message: string };
}

interface Recording {
  readonly versions: { readonly kubeApiserver: string };
  readonly scenes: readonly Scene[];
}

// Written by test/servers/record-kubernetes.mjs.
const FOLDER = new URL("../../fixtures/kubernetes/", import.meta.url);
const RECORDINGS = readdirSync(FOLDER).map(
  (name) => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Recording,
);

let server: KubernetesServer;

beforeEach(async () => {
  server = await KubernetesServer.start();
});

afterEach(async () => server.close());

function replay(exchange: Exchange): (_: IncomingMessage, response: ServerResponse) => void {
  return (_, response) => {
    if (exchange.status === 0) return;
    response.writeHead(exchange.status, { "content-type": "application/json" });
    response.flushHeaders();
    if (exchange.isOpen) response.write(exchange.body);
    else response.end(exchange.body);
  };
}

test("there is something recorded", () => {
  expect(RECORDINGS.flatMap(({ scenes }) => scenes).length).toBeGreaterThan(5);
});

describe.each(RECORDINGS)("what kube-apiserver $versions.kubeApiserver said", ({ scenes }) => {
  test.each(scenes)("$title", async ({ options, exchanges, last, failure }) => {
    for (const exchange of exchanges) server.next(replay(exchange));
    const { master, account } = server;
    const provider = Providers.kubernetes({
      ...{ master, serviceAccountPath: account, selector: "app=web" },
      ...options,
    });
    const run = new ProviderRun(provider);
    if (failure !== undefined) {
      await run.ended();
      const { code, message } = run.failure as { code: string; message: string };
      expect({ code, message: message.replace(master, "MASTER") }).toEqual(failure);
    }
    await expect
      .poll(() => server.requests.map((url) => `${url.pathname}${url.search}`), { timeout: 20_000 })
      .toEqual(exchanges.map(({ path }) => path));
    const sorted = (set: CandidateSet | undefined): unknown =>
      set?.candidates.toSorted((left, right) => (left.address < right.address ? -1 : 1));
    await expect.poll(() => sorted(run.sets.at(-1)), { timeout: 20_000 }).toEqual(sorted(last));
    await run.abort();
  });
});
