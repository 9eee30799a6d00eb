import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SYSTEM_CLOCK } from "../../dist/ts/base/clock.js";
import type { HttpWorkerOptions } from "../../dist/ts/index.js";
import { ConnectionManager } from "../../dist/ts/services/infrastructure/pools/connections.js";
import { HttpWorker } from "../../dist/ts/services/infrastructure/pools/http-worker.js";
import { NO_TELEMETRY } from "../../dist/ts/services/sinks.js";

let server: Server;
let baseUrl: string;
let connections = 0;
const workers: HttpWorker[] = [];

/** What it was asked, as JSON; some paths do more. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? "", "http://host");
  const [, kind, count] = url.pathname.split("/");
  if (kind === "never") return;
  if (kind === "cut") return void request.socket.destroy();
  if (kind === "status") response.statusCode = Number(count);
  if (kind === "redirect" && Number(count) > 0) {
    return void response.writeHead(302, { location: `/redirect/${Number(count) - 1}` }).end();
  }
  if (kind === "bytes") return void response.end(Buffer.alloc(Number(count), 7));
  if (kind === "trickle") {
    response.write("slow");
    return;
  }
  if (kind === "malformed") return void response.end("{ no json");
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      ...{ method: request.method, path: url.pathname, headers: request.headers },
      params: Object.fromEntries(url.searchParams),
      body: Buffer.concat(chunks).toString(),
    }),
  );
}

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  server.on("connection", () => (connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  baseUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});

afterAll(async () => {
  await Promise.all(workers.map(async (worker) => worker.stop()));
  server.closeAllConnections();
  server.close();
});

function start(options: Partial<HttpWorkerOptions> = {}): HttpWorker {
  const worker = new HttpWorker({ baseUrl, ...options });
  workers.push(worker);
  return worker;
}

interface Echo {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly params: Record<string, string>;
  readonly body: string;
}

async function echo(answer: ReturnType<HttpWorker["get"]>): Promise<Echo> {
  return (await answer).json() as Echo;
}

describe("an HTTP worker", () => {
  test("is made of an address and what else is said [F325 F326 F327]", () => {
    expect(start({ baseUrl: "http://host" }).getStatus()).toMatchObject({
      ...{ baseUrl: "http://host", timeoutMs: 30_000, headers: { "user-agent": "Foundation/2.0" } },
    });
    const headers = { "X-Team": "a", Authorization: "Bearer secret" };
    const full = { timeoutMs: 500, headers, maxRedirects: 2, responseBytesMax: 10 };
    expect(start({ baseUrl: "https://host:8443/api/", ...full }).getStatus()).toMatchObject({
      ...{ baseUrl: "https://host:8443/api", timeoutMs: 500 },
      headers: {
        ...{ "user-agent": "Foundation/2.0", "x-team": "a" },
        authorization: "[redacted]",
      },
    });
  });

  test.each([
    [{ baseUrl: undefined }, "baseUrl"],
    [{ baseUrl: "" }, "baseUrl"],
    [{ baseUrl: "ftp://host" }, "http://"],
    [{ baseUrl: "host:80" }, "http://"],
    [{ baseUrl: "http://" }, "http://"],
    [{ baseUrl: "http://user:password@host" }, "password"],
    [{ timeoutMs: 0 }, "timeoutMs"],
    [{ maxRedirects: -1 }, "maxRedirects"],
    [{ headers: { "x-number": 5 } }, "header"],
    [{ base_url: "http://host" }, "did you mean 'baseUrl'?"],
  ])("refuses %j [F328 F336 F354]", (options, text) => {
    expect(() => start(options as never)).toThrow(
      expect.objectContaining({ code: "invalid_config", message: expect.stringContaining(text) }),
    );
  });

  test("has done nothing at first, and counts what it does [F329 F330 F331]", async () => {
    const worker = start();
    const stats = { requestsMade: 0, lastRequestAt: undefined, errors: 0 };
    expect(worker.getStatus().stats).toEqual(stats);
    const beforeMs = Date.now();
    await worker.get("/");
    const { lastRequestAt, ...counts } = worker.getStatus().stats;
    expect(counts).toEqual({ requestsMade: 1, errors: 0 });
    expect(lastRequestAt).toBeGreaterThanOrEqual(beforeMs);
    expect(worker.getStatus().uptimeMs).toBeGreaterThan(0);
  });

  test("asks for a path [F332]", async () => {
    const worker = start({ baseUrl: `${baseUrl}/api/` });
    await expect(echo(worker.get("/users/7"))).resolves.toMatchObject({
      ...{ method: "GET", path: "/api/users/7", body: "" },
    });
    const { statusCode, headers, body } = await worker.get("users");
    expect([statusCode, headers["content-type"]]).toEqual([200, "application/json"]);
    expect(body).toBeInstanceOf(Uint8Array);
  });

  test("asks with parameters and headers [F333 F334 F352]", async () => {
    const worker = start({ headers: { "x-team": "a" } });
    const params = { q: "a b&c", page: 2, all: true };
    const headers = [
      ["X-Team", "b"],
      ["x-trace", "1"],
    ] as const;
    await expect(echo(worker.get("/search?lang=en", { params, headers }))).resolves.toMatchObject({
      params: { lang: "en", q: "a b&c", page: "2", all: "true" },
      headers: { "x-team": "b", "x-trace": "1", "user-agent": "Foundation/2.0" },
    });
    await expect(echo(worker.get("/", { headers: [] }))).resolves.toMatchObject({
      headers: { "x-team": "a" },
    });
  });

  test.each([200, 201, 400, 404, 500, 503])("hands out the status %i [F335 F357]", async (code) => {
    const worker = start();
    expect((await worker.get(`/status/${code}`)).statusCode).toBe(code);
    expect(worker.getStatus().stats.errors).toBe(0);
  });

  test.each(["//evil.example/x", "http://evil.example/", "@evil.example", "..//..//x"])(
    "stays at its server, whatever the path: %s",
    async (path) => {
      await expect(echo(start().get(path))).resolves.toMatchObject({ method: "GET" });
    },
  );

  test("sends JSON, texts, bytes and nothing [F338 F340 F341]", async () => {
    const worker = start();
    const sent = async (body: unknown) => {
      const { method, headers, body: received } = await echo(worker.post("/", body));
      expect(method).toBe("POST");
      return [headers["content-type"], received];
    };
    await expect(sent({ a: [1, "é"] })).resolves.toEqual(["application/json", '{"a":[1,"é"]}']);
    await expect(sent("plain")).resolves.toEqual(["text/plain; charset=utf-8", "plain"]);
    const bytes = new TextEncoder().encode("bytes");
    await expect(sent(bytes)).resolves.toEqual(["application/octet-stream", "bytes"]);
    await expect(sent(undefined)).resolves.toEqual([undefined, ""]);
    await expect(worker.post("/", { big: 1n })).rejects.toMatchObject({
      code: "serialization_failed",
    });
  });

  test("sends what it is told to be the type, and counts [F339 F337 F342]", async () => {
    const worker = start();
    const headers = { "Content-Type": "application/xml", "x-one": "1" };
    await expect(echo(worker.post("/", "<a/>", { headers }))).resolves.toMatchObject({
      ...{ body: "<a/>", headers: { "content-type": "application/xml", "x-one": "1" } },
    });
    await worker.get("/");
    expect(worker.getStatus().stats).toMatchObject({ requestsMade: 2, errors: 0 });
  });

  test("refuses headers that would be two", async () => {
    const headers = { "x-a": "1\r\nx-b: 2" };
    await expect(start().get("/", { headers })).rejects.toMatchObject({ code: "invalid_config" });
  });

  test.each(["/never", "/trickle"])(
    "waits no longer than it was told: %s [F343 F351]",
    async (path) => {
      const worker = start({ timeoutMs: 60 });
      await expect(worker.get(path)).rejects.toMatchObject({
        ...{ code: "timeout", numericCode: 4301, context: { timeoutMs: 60 } },
      });
      expect(worker.getStatus().stats).toMatchObject({ requestsMade: 1, errors: 1 });
    },
  );

  test("stops when it is aborted", async () => {
    const control = new AbortController();
    const request = start().get("/never", { signal: control.signal });
    control.abort(new Error("no use"));
    await expect(request).rejects.toMatchObject({ code: "aborted" });
  });

  test("counts what fails, and goes on afterwards [F344 F345]", async () => {
    const worker = start();
    const failed = { code: "network_error", numericCode: 4101, cause: expect.any(Error) };
    await expect(worker.get("/cut")).rejects.toMatchObject(failed);
    await expect(echo(worker.get("/"))).resolves.toMatchObject({ method: "GET" });
    expect(worker.getStatus().stats).toMatchObject({ requestsMade: 2, errors: 1 });
    const nobody = start({ baseUrl: "http://127.0.0.1:1" });
    await expect(nobody.get("/")).rejects.toMatchObject({
      ...{ ...failed, context: { reason: "ECONNREFUSED" } },
    });
  });

  test("hands out what is no JSON as it is [F346]", async () => {
    const response = await start().get("/malformed");
    expect(response.text()).toBe("{ no json");
    expect(() => response.json()).toThrow(
      expect.objectContaining({ code: "deserialization_failed" }),
    );
  });

  test("follows redirects up to its limit [F358 F353]", async () => {
    await expect(echo(start().get("/redirect/5"))).resolves.toMatchObject({ path: "/redirect/0" });
    await expect(start().get("/redirect/6")).rejects.toMatchObject({
      ...{ code: "too_many_redirects", context: { location: "/redirect/0" } },
    });
    const response = await start({ maxRedirects: 0 }).get("/redirect/3");
    expect([response.statusCode, response.headers["location"]]).toEqual([302, "/redirect/2"]);
  });

  test("takes large bodies up to its limit [F359]", async () => {
    const { body } = await start().get("/bytes/5000000");
    expect([body.length, body.every((byte) => byte === 7)]).toEqual([5_000_000, true]);
    const worker = start({ responseBytesMax: 1_000 });
    expect((await worker.get("/bytes/1000")).body.length).toBe(1_000);
    await expect(worker.get("/bytes/1001")).rejects.toMatchObject({ code: "response_too_large" });
  });

  test("does several things at a time, over as many connections as it may [F355]", async () => {
    const before = connections;
    const worker = start({ connections: 3 });
    const all = Array.from({ length: 20 }, async (_, i) => echo(worker.get(`/item/${i}`)));
    const paths = (await Promise.all(all)).map(({ path }) => path);
    expect(paths).toEqual(Array.from({ length: 20 }, (_, i) => `/item/${i}`));
    expect(connections - before).toBe(3);
    expect(worker.getStatus().stats).toMatchObject({ requestsMade: 20, errors: 0 });
  });

  test("closes what it opened when it is stopped [F349 F356]", async () => {
    const worker = start();
    await worker.get("/");
    const request = worker.get("/never");
    const ended = expect(request).rejects.toMatchObject({ code: "pool_stopped" });
    await worker.stop();
    await ended;
    expect(worker.isHealthy()).toBe(false);
    await expect(worker.get("/")).rejects.toMatchObject({ code: "pool_stopped" });
  });
});

describe("HTTP workers in a pool", () => {
  async function startPool(size: number): Promise<ConnectionManager> {
    const manager = new ConnectionManager({
      ...{ clock: SYSTEM_CLOCK, telemetry: NO_TELEMETRY },
      ...{ poolDefaults: () => ({}), isPooling: () => true },
    });
    const workerArgs = { baseUrl };
    await manager.startPool("http", { workerModule: HttpWorker, workerArgs, size, maxOverflow: 0 });
    return manager;
  }

  test("are several, and each counts for itself [F347 F348]", async () => {
    const manager = await startPool(3);
    const [a, b] = [
      await manager.checkOut<HttpWorker>("http"),
      await manager.checkOut<HttpWorker>("http"),
    ];
    await a.worker.get("/");
    const made = [a, b].map(({ worker }) => worker.getStatus().stats.requestsMade);
    expect(made).toEqual([1, 0]);
    await manager.close();
  });

  test("that were stopped are not handed out any more [F350]", async () => {
    const manager = await startPool(1);
    await manager.withConnection("http", async (worker: HttpWorker) => worker.stop());
    const response = await manager.withConnection("http", async (worker: HttpWorker) =>
      worker.get("/status/200"),
    );
    expect(response.statusCode).toBe(200);
    expect(manager.getPoolStatus("http")).toMatchObject({ workers: 1, lost: 1 });
    await manager.close();
  });
});
