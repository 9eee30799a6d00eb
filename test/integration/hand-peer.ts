import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { BODY, ByHand, control, type HandIdentity, Message } from "./by-hand.ts";
import { type DataFields, dataFrame, FLAG } from "./data-frames.ts";
import { within } from "./local-nodes.ts";

const KIND_DATA = 1;
/** The account of a name that was not told another one yet. */
const NAME_ACCOUNT = 0x2000;
/** Marks the account of messages above a window. */
export const LARGE_ACCOUNT = 0x4000;

/** A member written by hand: it knows the protocol, says what it likes, and answers pings. */
export class HandPeer {
  readonly name: string;
  readonly socket: Socket;
  /** Resolves when the connection is over, however it ends. */
  readonly closed: Promise<void>;
  /** Data frames that came, whole. */
  readonly data: Buffer[] = [];
  /** Control messages that came, by their numbers; see `BODY`. */
  readonly controls: number[] = [];
  readonly #hand: ByHand;
  readonly #handshake: Buffer[] = [];
  #isLinked = false;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(address: string, identity: HandIdentity) {
    this.name = identity.node;
    this.#hand = new ByHand(identity);
    const port = Number(address.split(":")[1]);
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve()));
    this.socket.on("error", () => {}); // a reset is as good an end as any
    this.socket.on("data", (bytes: Buffer) => this.#read(bytes));
  }

  /** A link in plain text; rejects where the other side does not let it in. */
  static async link(address: string, identity: HandIdentity): Promise<HandPeer> {
    const peer = new HandPeer(address, { channels: ["default"], ...identity });
    peer.socket.write(peer.#hand.hello);
    peer.socket.write(peer.#hand.prove(await peer.#frame()));
    for (const body of [BODY.auth, BODY.ready]) {
      const message = new Message(await peer.#frame());
      if (message.body !== body) throw new Error(`'${peer.name}' was refused`);
    }
    peer.#isLinked = true;
    const rest = peer.#rest;
    peer.#rest = Buffer.alloc(0);
    peer.#read(rest);
    return peer;
  }

  async #frame(): Promise<Buffer> {
    while (this.#handshake.length === 0) {
      if (this.socket.destroyed) throw new Error(`'${this.name}' was refused`);
      await Promise.race([once(this.socket, "frame"), this.closed]);
    }
    return this.#handshake.shift() as Buffer;
  }

  #read(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4 && this.#rest.length >= this.#rest.readUInt32LE(0)) {
      const frame = this.#rest.subarray(0, this.#rest.readUInt32LE(0));
      this.#rest = this.#rest.subarray(frame.length);
      if (this.#isLinked) this.#take(frame);
      else this.#handshake.push(frame);
      this.socket.emit("frame");
    }
  }

  #take(frame: Buffer): void {
    if (frame[4] === KIND_DATA) {
      this.data.push(frame);
      return;
    }
    const message = new Message(frame);
    this.controls.push(message.body);
    if (message.body !== BODY.ping || this.socket.destroyed) return;
    this.socket.write(
      control(BODY.pong, (builder) => {
        builder.startObject(2);
        builder.addFieldInt32(0, message.u32(0), 0);
        return builder.endObject();
      }),
    );
  }

  /** Names the link in data frames. */
  get epoch(): number {
    return this.#hand.epoch;
  }

  /** Writes bytes; resolves when the system has room again, or the connection is over. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.socket.destroyed || this.socket.write(bytes)) return;
    await Promise.race([once(this.socket, "drain"), this.closed]);
  }

  /** Announces a name under a number. */
  async bind(id: number, name: string): Promise<void> {
    await this.write(bindFrame(id, name));
  }

  /** The fields of a message to a name that was announced. */
  to(nameId: number, fields: DataFields = {}): DataFields {
    return {
      epoch: this.epoch,
      account: NAME_ACCOUNT + nameId,
      destinationSerial: nameId,
      ...fields,
      flags: FLAG.named | (fields.flags ?? 0),
    };
  }

  /** Sends a message in one frame. */
  async send(fields: DataFields, payload: Uint8Array): Promise<void> {
    await this.write(dataFrame(fields, payload));
  }

  /** Answers the request that came as that data frame, within what it has reserved. */
  async answer(index: number, encoding: number, payload: Uint8Array): Promise<void> {
    const request = this.data[index] as Buffer;
    const fields = {
      epoch: this.epoch,
      flags: FLAG.reply | FLAG.reserved | encoding,
      destinationSlot: request.readUInt16LE(32),
      destinationGeneration: request.readUInt16LE(34),
      destinationSerial: request.readUInt32LE(36),
      correlation: request.readUInt32LE(48),
    };
    await this.send(fields, payload);
  }

  /** Resolves once the other side has told so many control messages of a kind. */
  async heard(body: number, count: number = 1): Promise<void> {
    const isHeard = (): boolean => this.controls.filter((one) => one === body).length >= count;
    const wait = async (): Promise<void> => {
      while (!isHeard()) await once(this.socket, "frame");
    };
    await within(wait(), `control message ${body} to '${this.name}'`);
  }

  /** Goes in good order, or at once. */
  async leave(isGoodbye: boolean = true): Promise<void> {
    if (!isGoodbye) {
      this.socket.destroy();
      return this.closed;
    }
    this.socket.end(
      control(BODY.leave, (builder) => {
        const reason = builder.createString("bye");
        builder.startObject(1);
        builder.addFieldOffset(0, reason, 0);
        return builder.endObject();
      }),
    );
    await within(this.closed, `the end of '${this.name}'`);
  }
}

/** The announcement of a name. */
export function bindFrame(id: number, name: string): Buffer {
  return control(BODY.bind, (builder) => {
    const text = builder.createString(name);
    builder.startObject(2);
    builder.addFieldInt32(0, id, 0);
    builder.addFieldOffset(1, text, 0);
    return builder.endObject();
  });
}

/** Asks for credit of so many bytes, counted from the beginning of the link. */
export function reserveFrame(account: number, bytes: number): Buffer {
  return control(BODY.reserve, (builder) => {
    builder.startObject(3);
    builder.addFieldInt16(1, account, 0);
    builder.addFieldInt64(2, BigInt(bytes), 0n);
    return builder.endObject();
  });
}
