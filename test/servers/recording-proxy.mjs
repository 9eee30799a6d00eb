import { once } from "node:events";
import { createServer as createPlainServer, request as requestPlain } from "node:http";
import { createServer as createTlsServer, request as requestTls } from "node:https";
import { CertificateAuthority } from "./certificates.mjs";

/** What an answer means depends on these; all others are left out. */
const KEPT_HEADERS = /^(content-type|x-consul-.*)$/;

/** Stands between a client and a server, and keeps what both said, without any token. */
export class RecordingProxy {
  #authority = new CertificateAuthority();
  #target;
  #open = new Set();
  #held;
  #passing = Number.POSITIVE_INFINITY;
  /**
   * What was asked and answered, in the order of the questions; `isOpen` where the client went
   * before the end, with the status 0 where nothing was answered by then.
   */
  exchanges = [];

  /** `target`: port of the server, and its `ca` where it speaks TLS, as the proxy then does. */
  constructor(target) {
    this.#target = target;
    this.certificate = this.#authority.certificate;
    this.server =
      target.ca === undefined
        ? createPlainServer()
        : createTlsServer(this.#authority.issue(["127.0.0.1"]));
    this.server.on("request", (incoming, outgoing) => {
      this.#pass(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  async listen() {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.host = `127.0.0.1:${this.server.address().port}`;
  }

  /** The exchanges so far, and none from now on. */
  take() {
    return this.exchanges.splice(0);
  }

  /** Ends all answers in peace. */
  end() {
    for (const end of this.#open) end();
  }

  /** After so many more questions, others wait until the function that this returns is called. */
  holdAfter(count) {
    this.#passing = count;
    let release = () => {};
    this.#held = new Promise((resolve) => {
      release = () => {
        this.#passing = Number.POSITIVE_INFINITY;
        resolve();
      };
    });
    return release;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #pass(incoming, outgoing) {
    const { method, url } = incoming;
    const exchange = { method, path: url, status: 0, headers: {}, body: "", isOpen: true };
    this.exchanges.push(exchange);
    if (this.#passing-- <= 0) await this.#held;
    const response = await this.#answer(incoming, outgoing, exchange);
    if (response === undefined) return;
    exchange.status = response.statusCode;
    exchange.headers = Object.fromEntries(
      Object.entries(response.headers).filter(([name]) => KEPT_HEADERS.test(name)),
    );
    outgoing.writeHead(response.statusCode, exchange.headers);
    outgoing.flushHeaders();
    const end = () => {
      this.#open.delete(end);
      exchange.isOpen = false;
      outgoing.end();
      response.destroy();
    };
    this.#open.add(end);
    outgoing.on("close", () => this.#open.delete(end));
    response.on("data", (chunk) => {
      if (!exchange.isOpen) return;
      exchange.body += chunk;
      outgoing.write(chunk);
    });
    response.on("end", end);
    response.on("error", () => {});
  }

  /** Undefined where there was none, or nobody wanted it any more. */
  async #answer(incoming, outgoing, exchange) {
    const { port, ca } = this.#target;
    const { host: _, ...headers } = incoming.headers;
    const sent = (ca === undefined ? requestPlain : requestTls)({
      ...{ host: "127.0.0.1", port, ca, agent: false, headers },
      ...{ method: incoming.method, path: incoming.url },
    });
    sent.on("error", () => outgoing.destroy());
    outgoing.on("close", () => sent.destroy());
    let text = "";
    for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
    if (text !== "") exchange.sent = text;
    sent.end(text);
    const [response] = await once(sent, "response").catch(() => []);
    return response;
  }
}
