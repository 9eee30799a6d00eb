import { once } from "node:events";
import type { Socket } from "node:net";

/** Reads pieces that state their length in front: frames count themselves in, records do not. */
export class Pieces {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);

  constructor(from: Socket) {
    this.#socket = from;
    from.on("data", (bytes: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      from.emit("piece");
    });
  }

  async next(more: number): Promise<Buffer> {
    const length = (): number =>
      this.#rest.length < 4 ? Number.POSITIVE_INFINITY : this.#rest.readUInt32LE(0) + more;
    while (this.#rest.length < length()) await once(this.#socket, "piece");
    const piece = this.#rest.subarray(0, length());
    this.#rest = this.#rest.subarray(length());
    return piece;
  }
}
