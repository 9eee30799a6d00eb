import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Takes the bytes of one direction of a connection and passes them on, changed or not. */
export type Relay = (from: Socket, to: Socket, isFromDialler: boolean) => void;

/** Passes bytes on as they come. */
export const plainRelay: Relay = (from, to) => {
  from.on("data", (bytes) => to.write(bytes));
};

/** A TCP proxy in front of a node, which advertises the proxy's address as its own. */
export class TcpProxy {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target = 0;

  private constructor(server: Server, relay: Relay) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("connection", (dialler) => {
      const target = connect({ port: this.#target, host: "127.0.0.1" });
      this.#join(dialler, target, relay, true);
      this.#join(target, dialler, relay, false);
    });
  }

  /** Listens on a port that the system chooses. */
  static async listen(relay: Relay): Promise<TcpProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TcpProxy(server, relay);
  }

  /** Where connections go: the address that the node behind the proxy listens on. */
  forwardTo(address: string): void {
    this.#target = Number(address.split(":")[1]);
  }

  #join(from: Socket, to: Socket, relay: Relay, isFromDialler: boolean): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    relay(from, to, isFromDialler);
    // Either end that is gone takes the other one with it.
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  /** Closes all connections and the port. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
