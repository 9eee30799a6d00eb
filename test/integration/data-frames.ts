import type { Socket } from "node:net";
import type { Relay } from "./tcp-proxy.ts";

/** Bytes of a data frame before its payload; no frame of these tests has an extension area. */
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
