import { BroadcastChannel } from "node:worker_threads";
import type { ApartFields, BytesPost } from "./work-payloads.ts";

/** Bytes of work that came ahead of it, in the isolate of a worker. */
export class PayloadInbox {
  readonly #channel: BroadcastChannel;
  readonly #came = new Map<number, readonly Uint8Array[]>();
  readonly #awaited = new Map<number, (bytes: readonly Uint8Array[]) => void>();

  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.unref();
    this.#channel.onmessage = (event: { readonly data: unknown }) => {
      const { post, bytes } = event.data as BytesPost;
      const awaited = this.#awaited.get(post);
      if (awaited === undefined) this.#came.set(post, bytes);
      else awaited(bytes);
    };
  }

  /** A message with its bytes in their places; they may come behind it. */
  async restored(message: unknown, { post, fields }: ApartFields): Promise<unknown> {
    const bytes = this.#came.get(post) ?? (await this.#coming(post));
    this.#came.delete(post);
    if (fields[0] === "") return bytes[0];
    for (const [index, field] of fields.entries()) {
      Reflect.set(message as object, field, bytes[index]);
    }
    return message;
  }

  async #coming(post: number): Promise<readonly Uint8Array[]> {
    return new Promise((resolve) => {
      this.#awaited.set(post, (bytes) => {
        this.#awaited.delete(post);
        resolve(bytes);
      });
    });
  }
}
