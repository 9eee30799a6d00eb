import type { Candidate } from "../../provider.ts";

/**
 * Why a packet was not listened to: `badPacket` is no heartbeat, `badHost` names a host instead of
 * an address, `forged` was not signed by who knows the secret, `replayed` came before, `stale` is
 * from another time than now, `tooMany` came while too many others were remembered.
 */
export type GossipRefusal =
  | "badHost"
  | "badPacket"
  | "forged"
  | "otherCluster"
  | "otherVersion"
  | "own"
  | "replayed"
  | "stale"
  | "tooMany";

/** How nodes write heartbeats. */
export interface GossipFormat {
  /** The next heartbeat of this node. */
  seal(): Buffer;
  /** Who a heartbeat is of, or why nobody listens to it. */
  open(packet: Buffer): Candidate | GossipRefusal;
}
