import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as requestHttp,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** Answers a question, or passes it on where it resolves with false. */
export type Interfering = (
  path: string,
  response: ServerResponse,
  body: string,
) => Promise<boolean> | boolean;

/** A server by HTTP that passes questions on to another one, unless a test interferes. */
export class RelayServer {
  readonly url: string;
  interfere: Interfering = () => false;
  readonly #server: Server;

  private constructor(server: Server, target: string | undefined) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#answer(request, response, target));
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    target: string | undefined,
  ): Promise<void> {
    const body = await text(request);
    if (await this.interfere(request.url ?? "", response, body)) return;
    if (target === undefined) response.writeHead(404).end();
    else pass(request, body, response, target);
  }

  /** Listens on a free port. */
  static async open(target?: string): Promise<RelayServer> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RelayServer(server, target);
  }

  /** Closes the port and all connections. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

function pass(
  { method, url, headers }: IncomingMessage,
  body: string,
  response: ServerResponse,
  target: string,
): void {
  const sent = requestHttp(`${target}${url}`, { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  sent.on("error", () => response.destroy());
  response.on("close", () => sent.destroy());
  sent.end(body);
}
