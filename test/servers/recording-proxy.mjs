/** Stands between a client and an API server, and keeps what both said, without any token. */
import { once } from "node:events";
import { createServer, request } from "node:https";
import { CertificateAuthority } from "./certificates.mjs";

export class RecordingProxy {
  #authority = new CertificateAuthority();
  #target;
  #open = new Set();
  #held;
  /**
   * What was asked and answered, in order; `isOpen` where the client went before the end, with the
   * status 0 where nothing was answered by then.
   */
  exchanges = [];

  /** `target`: port and `ca` of the server. */
  constructor(target) {
    this.#target = target;
    this.certificate = this.#authority.certificate;
    this.server = createServer(this.#authority.issue(["127.0.0.1"]));
    this.server.on("request", (incoming, outgoing) => void this.#pass(incoming, outgoing));
  }

  async listen() {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.master = `127.0.0.1:${this.server.address().port}`;
  }

  /** The exchanges so far, and none from now on. */
  take() {
    return this.exchanges.splice(0);
  }

  /** Ends all watches in peace; the next requests wait for what this resolves with. */
  endAndHold() {
    let release = () => {};
    this.#held = new Promise((resolve) => {
      release = () => {
        this.#held = undefined;
        resolve();
      };
    });
    for (const end of this.#open) end();
    return release;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #pass(incoming, outgoing) {
    const exchange = { path: incoming.url, status: 0, body: "", isOpen: true };
    this.exchanges.push(exchange);
    await this.#held;
    const sent = request({
      host: "127.0.0.1",
      port: this.#target.port,
      ca: this.#target.ca,
      path: incoming.url,
      headers: { authorization: incoming.headers.authorization, accept: incoming.headers.accept },
      agent: false,
    });
    sent.on("error", () => outgoing.destroy());
    outgoing.on("close", () => sent.destroy());
    sent.end();
    const [response] = await once(sent, "response").catch(() => []);
    if (response === undefined) return;
    exchange.status = response.statusCode;
    outgoing.writeHead(response.statusCode, { "content-type": response.headers["content-type"] });
    outgoing.flushHeaders();
    const end = () => {
      this.#open.delete(end);
      exchange.isOpen = false;
      outgoing.end();
      sent.destroy();
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
}
