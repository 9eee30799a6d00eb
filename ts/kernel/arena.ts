/**
 * The shared memory of a process, as one isolate sees it: views over the arena that the root
 * isolate lent.
 */
export class Arena {
  readonly buffer: SharedArrayBuffer;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly u16: Uint16Array;
  /** Bytes before the first 128-aligned address; the core's offsets count from there. */
  readonly skippedBytes: number;

  constructor(buffer: SharedArrayBuffer, skippedBytes: number) {
    this.buffer = buffer;
    this.skippedBytes = skippedBytes;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.u16 = new Uint16Array(buffer);
  }

  /** Turns an offset of the core into one of this isolate's views. Unit: bytes. */
  at(offset: number): number {
    return offset + this.skippedBytes;
  }
}
