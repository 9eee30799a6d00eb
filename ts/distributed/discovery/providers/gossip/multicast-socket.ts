import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** Where heartbeats go and come from. */
export interface MulticastPlan {
  readonly port: number;
  readonly multicastAddress: string;
  readonly multicastTtl: number;
  readonly interfaceAddress: string;
  readonly multicastInterface?: string;
  readonly broadcastOnly: boolean;
}

/** Packets to and from a group. */
export class MulticastSocket {
  readonly #plan: MulticastPlan;
  readonly #socket: Socket;

  private constructor(plan: MulticastPlan, socket: Socket) {
    this.#plan = plan;
    this.#socket = socket;
  }

  /**
   * Joins the group. It listens at every address of this machine: at one alone Linux hands a
   * socket no multicast at all.
   */
  static async open(
    plan: MulticastPlan,
    heard: (packet: Buffer, source: string) => void,
    failed: (error: Error) => void,
  ): Promise<MulticastSocket> {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    try {
      socket.bind(plan.port);
      await once(socket, "listening");
      socket.setBroadcast(true);
      if (!plan.broadcastOnly) join(socket, plan);
    } catch (thrown) {
      socket.close();
      throw thrown;
    }
    socket.on("error", failed);
    socket.on("message", (packet, { address }) => heard(packet, address));
    return new MulticastSocket(plan, socket);
  }

  /** Resolves when the system has taken the packet. */
  async send(packet: Buffer): Promise<void> {
    const { port, multicastAddress } = this.#plan;
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(packet, port, multicastAddress, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    this.#socket.removeAllListeners("message");
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}

function join(socket: Socket, plan: MulticastPlan): void {
  const { multicastAddress, multicastTtl, interfaceAddress, multicastInterface } = plan;
  const isAnywhere = interfaceAddress === "0.0.0.0";
  socket.setMulticastTTL(multicastTtl);
  socket.setMulticastLoopback(true);
  socket.addMembership(multicastAddress, isAnywhere ? undefined : interfaceAddress);
  const out = multicastInterface ?? (isAnywhere ? undefined : interfaceAddress);
  if (out !== undefined) socket.setMulticastInterface(out);
}
