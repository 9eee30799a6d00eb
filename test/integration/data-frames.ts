import type { Socket } from "node:net";
import { crc32c, headerCrc } from "./by-hand.ts";
import type { Relay } from "./tcp-proxy.ts";

/** Bytes of a data frame before its payload where it has no extension area. */
export const DATA_HEADER_BYTES = 64;
const KIND_AT = 4;
const KIND_DATA = 1;
const FLAGS_AT = 6;
/** Calls and their answers pass whole, so that a test can wait for them. */
const CALL_FLAGS = (1 << 3) | (1 << 4);

/** Passes whole frames on, and lets the test damage those that carry messages from the sender. */
export class FrameDamager {
  /** Called with the next data frame, which it may change, and then forgotten. */
  next: ((frame: Buffer) => void) | undefined;

  /** For a proxy whose dialler is the sender (`true`), or whose target is. */
  relay(isSenderDialling: boolean): Relay {
    return (from: Socket, to: Socket, isFromDialler: boolean) => {
      if (isFromDialler !== isSenderDialling) {
        from.on("data", (bytes) => to.write(bytes));
        return;
      }
      let rest: Buffer = Buffer.alloc(0);
      from.on("data", (bytes: Buffer) => {
        rest = Buffer.concat([rest, bytes]);
        let end = 0;
        while (rest.length - end >= 4 && rest.length - end >= rest.readUInt32LE(end)) {
          const frame = rest.subarray(end, end + rest.readUInt32LE(end));
          end += frame.length;
          this.#pass(frame);
        }
        to.write(Buffer.from(rest.subarray(0, end)));
        rest = rest.subarray(end);
      });
    };
  }

  #pass(frame: Buffer): void {
    if (frame[KIND_AT] !== KIND_DATA || this.next === undefined) return;
    if ((frame.readUInt16LE(FLAGS_AT) & CALL_FLAGS) !== 0) return;
    const damage = this.next;
    this.next = undefined;
    damage(frame);
  }
}

/** Flags of a data frame. */
export const FLAG = Object.freeze({
  request: 1 << 3,
  reply: 1 << 4,
  chunk: 1 << 5,
  named: 1 << 6,
  reserved: 1 << 7,
  extended: 1 << 11,
});

/** What stands in the header of a data frame; what is left out is 0. */
export interface DataFields {
  readonly flags?: number;
  readonly channel?: number;
  readonly account?: number;
  readonly epoch?: number;
  readonly sequence?: number;
  readonly destinationSlot?: number;
  readonly destinationGeneration?: number;
  readonly destinationSerial?: number;
  readonly correlation?: number;
  /** The payload's length, unless stated. */
  readonly messageBytes?: number;
  readonly chunkOffset?: number;
  readonly replyBytesMax?: number;
  readonly extension?: Uint8Array;
  /** Length of the whole frame, unless it is to be another one. */
  readonly statedBytes?: number;
  /** Words of the header, unless they are to be others. */
  readonly statedWords?: number;
  /** Words of the extension area, unless they are to be others. */
  readonly statedExtensionWords?: number;
}

/** Bytes of the header that `fields` make. */
export function headerBytesOf(fields: DataFields): number {
  return DATA_HEADER_BYTES + (fields.extension?.length ?? 0);
}

/** Writes a data frame with right checksums, whatever its header states; answers where it ends. */
export function writeDataFrame(
  frame: Buffer,
  at: number,
  fields: DataFields,
  payload: Uint8Array,
): number {
  const headerBytes = headerBytesOf(fields);
  const end = at + headerBytes + payload.length;
  const header = frame.subarray(at, at + headerBytes);
  header.fill(0);
  header.writeUInt32LE(fields.statedBytes ?? end - at, 0);
  header[KIND_AT] = KIND_DATA;
  header[5] = fields.statedWords ?? headerBytes >>> 2;
  header.writeUInt16LE(fields.flags ?? 0, FLAGS_AT);
  header.writeUInt32LE(crc32c(payload), 8);
  header.writeUInt16LE(fields.channel ?? 0, 16);
  header[20] = 1; // hop limit
  header[21] = fields.statedExtensionWords ?? (headerBytes - DATA_HEADER_BYTES) >>> 2;
  header.writeUInt16LE(fields.account ?? 0, 22);
  header.writeUInt32LE(fields.epoch ?? 0, 24);
  header.writeUInt32LE(fields.sequence ?? 0, 28);
  header.writeUInt16LE(fields.destinationSlot ?? 0, 40);
  header.writeUInt16LE(fields.destinationGeneration ?? 0, 42);
  header.writeUInt32LE(fields.destinationSerial ?? 0, 44);
  header.writeUInt32LE(fields.correlation ?? 0, 48);
  header.writeUInt32LE(fields.messageBytes ?? payload.length, 52);
  header.writeUInt32LE(fields.chunkOffset ?? 0, 56);
  header.writeUInt32LE(fields.replyBytesMax ?? 0, 60);
  if (fields.extension !== undefined) header.set(fields.extension, DATA_HEADER_BYTES);
  header.writeUInt32LE(headerCrc(header, headerBytes), 12);
  frame.set(payload, at + headerBytes);
  return end;
}

/** A message, or a part of one, in memory of its own. */
export function dataFrame(fields: DataFields, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.alloc(headerBytesOf(fields) + payload.length);
  writeDataFrame(frame, 0, fields, payload);
  return frame;
}
