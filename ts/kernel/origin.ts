/** Peer handle in records between isolates of one node. */
export const LOCAL_PEER = 0xffff_ffff;

/** Another isolate of the node among the link handles of those who have to answer a call. */
export function isolateKey({ slot, generation }: { slot: number; generation: number }): number {
  return -1 - (slot * 0x1_0000 + generation);
}

/** Who sent a message, and where its answer and its credit go. */
export interface Origin {
  /** Link handle, or {@link LOCAL_PEER}. */
  readonly peer: number;
  /** Name of the sending node. */
  readonly node: string;
  /** Takes back the credit of a charged message. */
  settle(channel: number, account: number, bytes: number): void;
}

/** The parts of a request that its answer needs. */
export interface RequestPlace {
  readonly origin: Origin;
  readonly channel: number;
  readonly slot: number;
  readonly generation: number;
  readonly correlation: number;
  readonly replyBytesMax: number;
}
