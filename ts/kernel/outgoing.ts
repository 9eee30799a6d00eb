/**
 * What this isolate's code copied on the way out, counted where it is copied. Sending is
 * synchronous, so the difference around one call of `send` is what that message cost.
 */
class Outgoing {
  /**
   * Times that a message was written into other memory: encoded, added to a bundle, brought into a
   * ring or a slab.
   */
  copies = 0;
  /** Of those. Unit: bytes. */
  copiedBytes = 0;

  /** Counts a copy of one message. */
  add(bytes: number): void {
    this.copies++;
    this.copiedBytes += bytes;
  }
}

/** The counters of this isolate, for all nodes that it is attached to. */
export const outgoing = new Outgoing();
