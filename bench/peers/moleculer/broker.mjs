/** A broker of moleculer on its TCP transporter, with both nodes' addresses known beforehand. */

import { ServiceBroker } from "moleculer";

/**
 * @param {string} nodeID
 * @param {Record<string, number>} ports of both nodes, by their IDs
 */
export function createBroker(nodeID, ports) {
  const urls = Object.entries(ports).map(([id, port]) => `127.0.0.1:${port}/${id}`);
  return new ServiceBroker({
    nodeID,
    logger: false,
    transporter: {
      type: "TCP",
      options: { udpDiscovery: false, port: ports[nodeID], urls, gossipPeriod: 1 },
    },
  });
}
