import { once } from "node:events";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FoundationError } from "../../../base/errors.ts";
import { checkDelay, checkKeys } from "../../../base/option-checks.ts";
import type { Exposition } from "./prometheus.ts";
import type { ExpositionFormat } from "./prometheus-options.ts";
import type { MetricsServerOptions } from "./server-options.ts";

/** A scraper keeps one connection or two. */
const CONNECTIONS_MAX = 64;
/** Headers of a scrape are short, and come at once. Unit: ms. */
const REQUEST_MS_MAX = 10_000;

/** How a server ends. Defaults: {@link METRICS_CLOSE_DEFAULTS}. */
export interface MetricsCloseOptions {
  /** What requests under way get to end. Unit: ms. */
  readonly graceMs?: number;
}

/** How a server ends unless the options say otherwise. */
export const METRICS_CLOSE_DEFAULTS: Required<MetricsCloseOptions> = Object.freeze({
  graceMs: 2_000, // twice what collecting takes at most
});

/** Makes the text of a scrape. */
export type Expose = (format: ExpositionFormat) => Promise<Exposition>;

/** Answers scrapes; several at a time get the same text. */
export function metricsListener(expose: Expose): RequestListener {
  const underWay = new Map<ExpositionFormat, Promise<Exposition>>();
  const shared = async (format: ExpositionFormat): Promise<Exposition> => {
    const known = underWay.get(format);
    if (known !== undefined) return known;
    const made = expose(format).finally(() => underWay.delete(format));
    underWay.set(format, made);
    return made;
  };
  return (request, response) => void answer(request, response, shared);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  expose: Expose,
): Promise<void> {
  const { method, headers } = request;
  if (method !== "GET" && method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const isOpen = /application\/openmetrics-text/.test(headers.accept ?? "");
  try {
    const { text, contentType } = await expose(isOpen ? "openmetrics" : "prometheus");
    response.writeHead(200, {
      "content-type": contentType,
      "content-length": Buffer.byteLength(text),
      "cache-control": "no-store",
    });
    response.end(method === "HEAD" ? undefined : text);
  } catch (thrown) {
    // The code says what to do; a stack is for nobody on the other side.
    const code = thrown instanceof FoundationError ? thrown.code : "internal";
    response.writeHead(503, { "content-type": "text/plain; charset=utf-8" }).end(`${code}\n`);
  }
}

/** Serves metrics over HTTP until it is closed, or its isolate leaves the node. */
export class MetricsServer {
  /** Where the metrics are. */
  readonly url: string;
  readonly port: number;
  readonly #server: Server;
  readonly #onClose: () => void;
  #closed: Promise<void> | undefined;

  private constructor(server: Server, path: string, onClose: () => void) {
    const { address, family, port } = server.address() as AddressInfo;
    const host = family === "IPv6" ? `[${address}]` : address;
    this.port = port;
    this.url = `http://${host}:${port}${path}`;
    this.#server = server;
    this.#onClose = onClose;
  }

  /**
   * Starts one.
   *
   * @throws FoundationError `listen_failed`
   */
  static async start(
    { port, host, path }: Required<MetricsServerOptions>,
    listener: RequestListener,
    onClose: () => void,
  ): Promise<MetricsServer> {
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => {
      const [asked] = (request.url ?? "").split("?");
      if (asked === path) listener(request, response);
      else response.writeHead(404).end();
    });
    server.maxConnections = CONNECTIONS_MAX;
    server.requestTimeout = REQUEST_MS_MAX;
    server.headersTimeout = REQUEST_MS_MAX;
    server.listen(port, host);
    try {
      await once(server, "listening");
    } catch (thrown) {
      throw listenError(host, port, thrown);
    }
    return new MetricsServer(server, path, onClose);
  }

  /**
   * Takes no more requests; resolves when those under way are answered, or had their time. Calling
   * it again returns the same promise.
   *
   * @throws FoundationError `invalid_options`
   */
  async close(options: MetricsCloseOptions = {}): Promise<void> {
    checkKeys("the options of close", options, Object.keys(METRICS_CLOSE_DEFAULTS));
    const { graceMs } = { ...METRICS_CLOSE_DEFAULTS, ...options };
    checkDelay("graceMs", graceMs);
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    this.#onClose();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }
}

function listenError(host: string, port: number, cause: unknown): FoundationError {
  const text = `metrics cannot be served at ${host}:${port}`;
  return new FoundationError("listen_failed", text, { cause, context: { host, port } });
}
