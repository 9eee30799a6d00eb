/** A member of the cluster as this node sees it. */
export interface Member {
  /** Node name. */
  readonly name: string;
  /** Where it listens. */
  readonly address: string;
  /** Its present run: printable, and a later run compares greater. */
  readonly life: string;
  /**
   * `busy`: an event loop of it is stalled, its kernel thread answers. `leaving`: it says goodbye.
   */
  readonly state: "up" | "busy" | "leaving";
  /** Whether it is this node. */
  readonly self: boolean;
}

/** A member that is gone, and why. */
export interface DownEvent {
  /** Node name. */
  readonly name: string;
  /**
   * `left`, `silent`, `connection_closed`, `connection_reset`, `restarted`, or a code of
   * docs/errors.md.
   */
  readonly reason: string;
}

/** In place of a handle: nobody has sent to the member yet, and there is no link. */
export const NO_HANDLE = -1;

/** What the kernel tells of a link, as the routes need it. */
export interface Peer {
  /** Of the link; with overlays {@link NO_HANDLE} while there is none and nobody wanted one. */
  handle: number;
  /** Stands for the member in calls and waits: links come and go below it. */
  readonly key: number;
  /** With overlays: the number that broadcasts name their sender by; else undefined. */
  readonly no: number | undefined;
  /** Whether there is a link. */
  isLinked: boolean;
  /** With overlays: number of the latest news of its link; older ones are passed over. */
  newsNo: number;
  /** Channels that its link serves. */
  channels: readonly string[];
  readonly name: string;
  readonly address: string;
  readonly life: string;
  busyIsolates: number;
  isLeaving: boolean;
}

/** The peers of a node by name and by link handle. */
export class Peers {
  readonly #byName = new Map<string, Peer>();
  readonly #byHandle = new Map<number, Peer>();
  readonly #byNo = new Map<number, Peer>();

  /** Number of peers that are up. */
  get size(): number {
    return this.#byName.size;
  }

  /** Adds a peer whose link came up. */
  add(peer: Peer): void {
    this.#byName.set(peer.name, peer);
    if (peer.handle !== NO_HANDLE) this.#byHandle.set(peer.handle, peer);
    if (peer.no !== undefined) this.#byNo.set(peer.no, peer);
  }

  /** Gives a member another handle, or takes it. */
  setHandle(peer: Peer, handle: number): void {
    if (this.#byHandle.get(peer.handle) === peer) this.#byHandle.delete(peer.handle);
    peer.handle = handle;
    if (handle !== NO_HANDLE) this.#byHandle.set(handle, peer);
  }

  /** Removes a member, whether or not it has a link. */
  removeMember(peer: Peer): void {
    this.setHandle(peer, NO_HANDLE);
    if (this.#byName.get(peer.name) === peer) this.#byName.delete(peer.name);
    if (peer.no !== undefined && this.#byNo.get(peer.no) === peer) this.#byNo.delete(peer.no);
  }

  /** The member that broadcasts name by that number. */
  numbered(no: number): Peer | undefined {
    return this.#byNo.get(no);
  }

  /** Removes the peer of a link; `undefined` where a newer link has taken its place. */
  remove(handle: number): Peer | undefined {
    const peer = this.#byHandle.get(handle);
    this.#byHandle.delete(handle);
    if (peer !== undefined && this.#byName.get(peer.name) === peer) this.#byName.delete(peer.name);
    return peer;
  }

  /** The peer of a name. */
  named(name: string): Peer | undefined {
    return this.#byName.get(name);
  }

  /** The peer behind a link. */
  behind(handle: number): Peer | undefined {
    return this.#byHandle.get(handle);
  }

  /** All peers that are up, in the order they came. */
  all(): IterableIterator<Peer> {
    return this.#byName.values();
  }
}

/** A peer as the public API shows it. */
export function toMember(peer: Peer): Member {
  const state = peer.isLeaving ? "leaving" : peer.busyIsolates > 0 ? "busy" : "up";
  return { name: peer.name, address: peer.address, life: peer.life, state, self: false };
}
