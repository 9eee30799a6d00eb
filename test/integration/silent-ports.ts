import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** Ports that take every connection and never say a word, as a node behind a black hole. */
export class SilentPorts {
  /** Where they listen. */
  readonly addresses: readonly string[];
  /** Most connections that were open at once, over all ports. */
  openAtMost = 0;
  /** Ports that were dialled at least once. */
  readonly dialled = new Set<string>();
  readonly #servers: readonly Server[];
  readonly #open = new Set<Socket>();

  private constructor(servers: readonly Server[]) {
    this.#servers = servers;
    this.addresses = servers.map((server) => {
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    for (const [index, server] of servers.entries()) {
      server.on("connection", (socket) => this.#hold(socket, this.addresses[index]!));
    }
  }

  /** Listens on that many ports that the system chooses. */
  static async listen(count: number): Promise<SilentPorts> {
    const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
    await Promise.all(servers.map(async (server) => once(server, "listening")));
    return new SilentPorts(servers);
  }

  /** Connections that are open now, over all ports. */
  get open(): number {
    return this.#open.size;
  }

  #hold(socket: Socket, address: string): void {
    this.dialled.add(address);
    this.#open.add(socket);
    this.openAtMost = Math.max(this.openAtMost, this.#open.size);
    socket.resume(); // so that the end of the dialler is seen
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#open.delete(socket));
  }

  /** Closes all connections and ports. */
  async close(): Promise<void> {
    const closed = this.#servers.map(async (server) => {
      server.close();
      await once(server, "close");
    });
    for (const socket of this.#open) socket.destroy();
    await Promise.all(closed);
  }
}
