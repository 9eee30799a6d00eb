import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { type GossipOptions, Providers } from "foundation-runtime";
import type { DiscoveryProvider } from "../../../ts/distributed/discovery/provider.ts";
import { ProviderRun, type ProviderScene, SELF } from "./provider-contract.ts";

const GROUP = "233.252.1.32";

/** A UDP port that nobody else uses. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** Sends packets to a group of this machine, as anybody there can. */
export async function sendToGroup(port: number, packets: readonly Buffer[]): Promise<void> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.setMulticastInterface("127.0.0.1");
  for (const packet of packets) {
    await new Promise<void>((resolve) => socket.send(packet, port, GROUP, () => resolve()));
    // Whoever listens may be in this very process.
    await setImmediate();
  }
  await new Promise<void>((resolve) => socket.close(resolve));
}

/** Nodes that gossip on this machine: each that is published has a provider of its own. */
export class GossipScene implements ProviderScene {
  readonly isComplete = false;
  readonly port: number;
  readonly #options: GossipOptions;
  readonly #others: ProviderRun[] = [];

  private constructor(port: number, options: GossipOptions) {
    this.port = port;
    this.#options = { interfaceAddress: "127.0.0.1", intervalMs: 50, ...options, port };
  }

  /** A group on a port of its own. */
  static async open(options: GossipOptions): Promise<GossipScene> {
    return new GossipScene(await freeUdpPort(), options);
  }

  provider(): DiscoveryProvider {
    return Providers.gossip(this.#options);
  }

  async publish(addresses: readonly string[]): Promise<void> {
    await this.close();
    for (const address of addresses) {
      const [host = ""] = address.split(":");
      const self = { ...SELF, address, host, name: `other@${host}` };
      this.#others.push(new ProviderRun(this.provider(), { self }));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#others.splice(0).map(async (run) => run.abort()));
  }
}
