import type { Owner } from "./directory.ts";
import type { Peer } from "./members.ts";
import type { Address, SendOptions } from "./node-types.ts";
import type { RecordWriter } from "./record-writer.ts";
import type { Encoded } from "./values.ts";

const DEFAULT_CHANNEL = "default";

/** Where an isolate sent last: more to the same receiver and channel needs no look-up. */
export class Burst {
  readonly node: string;
  readonly name: string;
  readonly channel: string;
  readonly channelId: number;
  readonly nameId: number;
  /** The link, or the isolate of the own node, that it goes to. */
  readonly target: Peer | Owner;
  readonly #writer: RecordWriter;

  constructor(
    to: Address,
    channel: string | undefined,
    ids: { readonly channelId: number; readonly nameId: number },
    target: Peer | Owner,
    writer: RecordWriter,
  ) {
    this.node = to.node;
    this.name = to.name;
    this.channel = channel ?? DEFAULT_CHANNEL;
    this.channelId = ids.channelId;
    this.nameId = ids.nameId;
    this.target = target;
    this.#writer = writer;
  }

  /** Whether a message goes the same way; one with a key always goes its own. */
  isFor(to: Address, options: SendOptions | undefined): boolean {
    return (
      to.name === this.name &&
      to.node === this.node &&
      (options === undefined
        ? this.channelId === 0
        : (options.channel ?? DEFAULT_CHANNEL) === this.channel && options.key === undefined)
    );
  }

  /** Adds bytes to the bundle under way; false: there is none, or it is full. */
  append(bytes: Uint8Array): boolean {
    return this.#writer.append(this, bytes);
  }

  /** The same for what became of a value. */
  appendEncoded(value: Encoded): boolean {
    const { packed } = value;
    return packed !== undefined && this.#writer.appendPacked(this, packed);
  }
}
