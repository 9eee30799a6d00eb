import type { ServerResponse } from "node:http";
import { type ConsulOptions, Providers } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProviderRun } from "./provider-contract.ts";
import { type Exchange, failureOf, recordingsOf, replay, sorted } from "./recordings.ts";
import { RelayServer } from "./relay-server.ts";

// Written by test/servers/record-consul.mjs.
const RECORDINGS = recordingsOf<ConsulOptions>("consul");
const WAIT = { timeout: 20_000 };

/** The node in whose name it was recorded. */
const SELF = { name: "self", cluster: "shop", address: "10.9.9.9:7000", host: "10.9.9.9" };

let server: RelayServer;

beforeEach(async () => {
  server = await RelayServer.open();
});

afterEach(async () => server.close());

const isQuestion = ({ method }: Pick<Exchange, "method">) => method === "GET";
/** A node passes its check by the clock: as often as it likes. */
const isPass = ({ path }: Pick<Exchange, "path">) => path.includes("/check/pass/");
const isRegistration = ({ path }: Pick<Exchange, "path">) => path.endsWith("/service/register");
const pathOf = ({ path }: Pick<Exchange, "path">) => path;

/** Answers each path in its order; what is asked of several comes beside each other. */
class Replay {
  readonly asked: Pick<Exchange, "method" | "path" | "sent">[] = [];
  readonly #left: Exchange[];

  constructor(exchanges: readonly Exchange[]) {
    this.#left = [...exchanges];
  }

  answer(path: string, response: ServerResponse, body: string): void {
    const { method = "" } = response.req;
    this.asked.push({ method, path, ...(body !== "" && { sent: body }) });
    const at = this.#left.findIndex((it) => it.method === method && it.path === path);
    const exchange = this.#left[at];
    if (exchange === undefined) return;
    const isLast = this.#left.filter((it) => it.path === path).length === 1;
    if (!isPass(exchange) || !isLast) this.#left.splice(at, 1);
    replay(exchange, response);
  }
}

test("there is something recorded", () => {
  expect(RECORDINGS.flatMap(({ scenes }) => scenes).length).toBeGreaterThan(10);
});

describe.each(RECORDINGS)("what Consul $versions.consul said", ({ scenes }) => {
  test.each(scenes)("$title", async ({ options, exchanges, last, failure }) => {
    const told = new Replay(exchanges);
    server.interfere = (path, response, body) => {
      told.answer(path, response, body);
      return true;
    };
    const provider = Providers.consul({ ...options, address: server.url });
    const run = new ProviderRun(provider, { self: { ...SELF, port: 7_000 } });
    if (failure !== undefined) {
      await run.ended();
      expect(failureOf(run.failure, new URL(server.url).host)).toEqual(failure);
    }
    const questions = exchanges.filter(isQuestion).map(pathOf);
    // What comes after them has no answer any more.
    const asked = () => told.asked.filter(isQuestion).map(pathOf).slice(0, questions.length);
    await expect.poll(asked, WAIT).toEqual(questions);
    const registered = exchanges.filter(isRegistration).length;
    await expect.poll(() => told.asked.filter(isRegistration).length, WAIT).toBe(registered);
    await expect.poll(() => sorted(run.sets.at(-1)), WAIT).toEqual(sorted(last));
    await run.abort();
    await provider.close?.();
    // What was sent was taken by Consul: it has to be that again.
    const reports = (all: readonly Pick<Exchange, "method" | "path" | "sent">[]) =>
      all
        .filter((it) => !isQuestion(it) && !isPass(it))
        .map(({ path, sent }) => ({ path, sent: sent === undefined ? sent : JSON.parse(sent) }));
    expect(reports(told.asked)).toEqual(reports(exchanges));
  });
});
