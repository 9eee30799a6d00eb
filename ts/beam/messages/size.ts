import { BUNDLED_BYTES_MAX } from "../../kernel/open-bundle.ts";
import { encodeValue } from "../../kernel/values.ts";
import { OP } from "../wire.ts";

/** What a node sets for the messages that leave an isolate. */
export interface MessageLimits {
  /** Largest message inside a ring. Unit: bytes. */
  readonly inlineBytesMax: number;
  /** Largest message at all. Unit: bytes. */
  readonly messageBytesMax: number;
}

/** How often a message is copied on each side of the shared memory, and its bytes there. */
export interface ExpectedCopies {
  /**
   * By the time `send` has returned. Of bytes that go to another isolate in a slab, the first is a
   * copy of the receiver's place alone. A small message's bundle is brought into the ring as a
   * whole afterwards, which is one copy for all its messages.
   */
  readonly sender: number;
  /** Out of the shared memory. For small messages one copy serves several. */
  readonly receiver: number;
}

/** What sending a value to a process comes to. */
export interface MessageSize {
  /** `bytes`: a Uint8Array. `packed`: any other value, written in the value format. */
  readonly kind: "bytes" | "packed";
  /**
   * What leaves the isolate: the value encoded, and the receiver's place with the largest numbers
   * it may have; with small ones it is up to 13 bytes shorter. Unit: bytes.
   */
  readonly encodedBytes: number;
  /**
   * How it gets out of the isolate: `bundle`: with others of its burst in one record; `inline`: in
   * a record of its own; `slab`: beside the ring, which has a handle; `refused`: too large.
   */
  readonly travel: "bundle" | "inline" | "slab" | "refused";
  /**
   * Copies by destination, as this isolate's and the receiver's code make them; what the kernel
   * thread and the system do with a socket comes on top for other nodes.
   */
  readonly copies: {
    readonly sameIsolate: 0;
    readonly otherIsolate: ExpectedCopies;
    readonly otherNode: ExpectedCopies;
  };
  /**
   * For `sendOptimized`: `direct`, or `flowControlled` where it leaves the isolate in a slab, of
   * which few are under way at a time. Undefined where it cannot be sent.
   */
  readonly strategy: {
    readonly sameIsolate: "direct";
    readonly elsewhere: "direct" | "flowControlled" | undefined;
  };
}

/** Serial and generation with the longest encodings. */
const LONGEST_PLACE = [Number.MAX_SAFE_INTEGER, 0xffff] as const;

/**
 * Encodes a value, once, and says what sending it takes.
 *
 * @throws FoundationError `unencodable`
 */
export function analyzeMessageSize(value: unknown, limits: MessageLimits): MessageSize {
  const { length } = encodeValue([OP.send, ...LONGEST_PLACE, value]);
  const travel = travelOf(length, limits);
  // Encoded, then brought to the bundle, ring or slab; and out of there.
  const elsewhere = travel === "refused" ? { sender: 1, receiver: 0 } : { sender: 2, receiver: 1 };
  const strategies = { bundle: "direct", inline: "direct", slab: "flowControlled" } as const;
  return {
    kind: value instanceof Uint8Array ? "bytes" : "packed",
    encodedBytes: length,
    travel,
    copies: { sameIsolate: 0, otherIsolate: elsewhere, otherNode: elsewhere },
    strategy: {
      sameIsolate: "direct",
      elsewhere: travel === "refused" ? undefined : strategies[travel],
    },
  };
}

function travelOf(bytes: number, limits: MessageLimits): MessageSize["travel"] {
  if (bytes > limits.messageBytesMax) return "refused";
  if (bytes > limits.inlineBytesMax) return "slab";
  return bytes > BUNDLED_BYTES_MAX ? "inline" : "bundle";
}
