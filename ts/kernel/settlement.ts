import type { RecordWriter } from "./record-writer.ts";

interface Sum {
  readonly peer: number;
  readonly channel: number;
  readonly account: number;
  bytes: number;
  messages: number;
}

/**
 * Messages above this are settled one by one, so that their reservation is recognised. Unit: bytes.
 */
const LARGE_BYTES = 1 << 20;
/** Largest sum in one record. Unit: bytes. */
const SUM_BYTES_MAX = 1 << 30;

/** Credit that handlers have finished with, given back to the kernel thread once a burst. */
export class Settlement {
  readonly #writer: RecordWriter;
  readonly #sums = new Map<string, Sum>();
  #large: Sum[] = [];
  #last: Sum | undefined;
  #isPlanned = false;

  constructor(writer: RecordWriter) {
    this.#writer = writer;
  }

  /** Books one message as settled. */
  add(peer: number, channel: number, account: number, bytes: number): void {
    if (bytes > LARGE_BYTES) {
      this.#large.push({ peer, channel, account, bytes, messages: 1 });
      return this.#plan();
    }
    let sum = this.#last;
    if (sum?.peer !== peer || sum.channel !== channel || sum.account !== account) {
      const key = `${peer}/${channel}/${account}`;
      sum = this.#sums.get(key);
      if (sum === undefined) {
        sum = { peer, channel, account, bytes: 0, messages: 0 };
        this.#sums.set(key, sum);
      }
      this.#last = sum;
    }
    sum.bytes += bytes;
    sum.messages += 1;
    if (sum.bytes > SUM_BYTES_MAX) this.flush();
    else this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      this.flush();
    });
  }

  /** Writes what came together; what does not fit now stays for the next flush. */
  flush(): void {
    for (let large = this.#large[0]; large !== undefined; large = this.#large[0]) {
      if (!this.#write(large)) return;
      this.#large.shift();
    }
    for (const sum of this.#sums.values()) {
      if (sum.messages === 0) continue;
      if (!this.#write(sum)) return;
      sum.bytes = 0;
      sum.messages = 0;
    }
  }

  /** Whether something still waits for room in the ring. */
  get isPending(): boolean {
    if (this.#large.length > 0) return true;
    for (const sum of this.#sums.values()) if (sum.messages > 0) return true;
    return false;
  }

  /** Forgets a link that is gone: its books were closed with it. */
  forget(peer: number): void {
    for (const [key, sum] of this.#sums) if (sum.peer === peer) this.#sums.delete(key);
    this.#large = this.#large.filter((large) => large.peer !== peer);
    if (this.#last?.peer === peer) this.#last = undefined;
  }

  #write(sum: Sum): boolean {
    const { peer, channel, account, bytes, messages } = sum;
    return this.#writer.writeSettlement(peer, channel, account, bytes, messages);
  }
}
