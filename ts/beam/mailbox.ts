/** What can happen to a message that finds a mailbox full. */
export const MAILBOX_POLICIES = Object.freeze([
  "block",
  "credit",
  "dropNewest",
  "dropOldest",
] as const);

/** What happens to a message that finds a mailbox full. */
export type MailboxPolicy = (typeof MAILBOX_POLICIES)[number];

/** How much a mailbox holds. Defaults: {@link MAILBOX_DEFAULTS}. */
export interface MailboxOptions {
  /** Messages that may wait; `"unbounded"`: as many as memory holds. Unit: messages. */
  readonly messagesMax?: number | "unbounded";
  /**
   * At the limit: `block` refuses (`send` answers false, `drained` waits) and holds back what other
   * nodes send; `dropNewest` and `dropOldest` lose a message and count it; `credit` is `block`, and
   * a message of another node counts against its sender until it was handled, not only taken.
   */
  readonly policy?: MailboxPolicy;
}

/** How much a mailbox holds unless its options say otherwise. */
export const MAILBOX_DEFAULTS: Required<MailboxOptions> = Object.freeze({
  messagesMax: 65_536, // as an isolate's own mailbox (ts/kernel/local-mailbox.ts)
  policy: "block", // the one that loses nothing and stays bounded
});

/** Read positions that may be behind the head before the array is cut. */
const COMPACT_AT = 1_024;

/** Messages in order of arrival, with a search for the ones that somebody waits for. */
export class Mailbox {
  #items: unknown[] = [];
  #head = 0;
  /** How often messages have been taken out, so that a search sees that its own match has. */
  #taken = 0;

  /** Number of messages that wait. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Adds a message behind the others. */
  push(item: unknown): void {
    this.#items.push(item);
  }

  /** The oldest message, which stays; undefined where none waits. */
  get first(): unknown {
    return this.#items[this.#head];
  }

  /** Takes the oldest message; there has to be one. */
  shift(): unknown {
    const items = this.#items;
    const item = items[this.#head];
    this.#taken++;
    items[this.#head++] = undefined;
    if (this.#head === items.length) {
      if (items.length > COMPACT_AT) this.#items = [];
      else items.length = 0;
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes the oldest message that `isWanted`; the others keep their order. */
  take(isWanted: (item: unknown) => boolean): { readonly item: unknown } | undefined {
    for (let index = this.#head; index < this.#items.length; index++) {
      const item = this.#items[index];
      const before = this.#taken;
      const isFound = isWanted(item);
      if (this.#taken !== before) {
        // What looked at it has taken out others, or this one: nothing is where it was.
        index = this.#items.indexOf(item, this.#head);
        if (index < 0) return this.take(isWanted);
      }
      if (!isFound) continue;
      if (index === this.#head) return { item: this.shift() };
      this.#taken++;
      this.#items.splice(index, 1);
      return { item };
    }
    return undefined;
  }

  /** The messages that wait, oldest first. */
  waiting(): readonly unknown[] {
    return this.#items.slice(this.#head);
  }
}
