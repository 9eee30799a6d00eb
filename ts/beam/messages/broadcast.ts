import { FoundationError } from "../../base/errors.ts";
import { checkKeys } from "../../base/option-checks.ts";
import { type Home, isSameHome, type Pid } from "../../base/pid.ts";
import { outgoing } from "../../kernel/outgoing.ts";
import { release } from "../../kernel/slabs.ts";
import { ENCODING, encodeValue } from "../../kernel/values.ts";
import { type EncodedMessage, RECEIVERS_MAX } from "../bulk.ts";
import type { Processes } from "../processes.ts";
import { homeKey } from "../wire.ts";
import { type ChannelChoice, channelFor } from "./channels.ts";
import type { Outward } from "./outward.ts";
import { counting } from "./sendings.ts";

/** How a message is sent to many. */
export interface BroadcastOptions extends ChannelChoice {}

/** A process that a broadcast did not reach. */
export interface BroadcastRefusal {
  readonly pid: Pid;
  /** `full`, or the code of the error of sending to its isolate. */
  readonly reason: string;
}

/** How a broadcast went, and what this isolate has copied for it. */
export interface BroadcastReport {
  /** Receivers whose mailbox, or the way to them, took it. Unit: processes. */
  readonly accepted: number;
  readonly refused: readonly BroadcastRefusal[];
  /** Times that the message was encoded: once where it leaves the isolate; bytes are none. */
  readonly encodings: number;
  /** Messages that left the isolate: one for up to 256 receivers of one other isolate. */
  readonly transfers: number;
  /** Times that this isolate wrote it to other memory; see `SendReceipt`. */
  readonly copies: number;
  /** Of those. Unit: bytes. */
  readonly copiedBytes: number;
}

/** Receivers of one other isolate. */
interface Group {
  readonly home: Home;
  readonly pids: Pid[];
}

/** What a broadcast has done so far. */
class Course {
  accepted = 0;
  encodings = 0;
  transfers = 0;
  readonly refused: BroadcastRefusal[] = [];

  refuse(pids: readonly Pid[], reason: string): void {
    for (const pid of pids) this.refused.push({ pid, reason });
  }
}

/** Sends one message to many processes. */
export class Broadcaster {
  readonly #processes: Processes;
  readonly #outward: Outward;
  readonly #home: Home;

  constructor(processes: Processes, outward: Outward, home: Home) {
    this.#processes = processes;
    this.#outward = outward;
    this.#home = home;
  }

  /** See `Messages.broadcastOptimized`. */
  send(pids: readonly Pid[], data: unknown, options: BroadcastOptions): BroadcastReport {
    checkKeys("the options of broadcastOptimized", options, ["channel", "priority"]);
    const channel = channelFor(this.#outward, options);
    const course = new Course();
    const { copies, copiedBytes } = counting(() => {
      this.#run(pids, data, channel, course);
      return true;
    });
    const { accepted, refused, encodings, transfers } = course;
    return { accepted, refused, encodings, transfers, copies, copiedBytes };
  }

  #run(pids: readonly Pid[], data: unknown, channel: string | undefined, course: Course): void {
    const { here, groups } = this.#grouped(pids);
    // What cannot be encoded is sent to nobody.
    const message = groups.length === 0 ? undefined : this.#encode(data, groups, course);
    for (const pid of here) {
      if (this.#processes.send(pid, data)) course.accepted++;
      else course.refuse([pid], "full");
    }
    if (message === undefined) return;
    for (const { home, pids: all } of groups) {
      for (let from = 0; from < all.length; from += RECEIVERS_MAX) {
        this.#transfer(home, all.slice(from, from + RECEIVERS_MAX), message, channel, course);
      }
    }
    if (message.bytes !== data) release(message.bytes);
  }

  #grouped(pids: readonly Pid[]): { readonly here: Pid[]; readonly groups: Group[] } {
    const here: Pid[] = [];
    const groups = new Map<string, Group>();
    for (const pid of pids) {
      if (isSameHome(pid.home, this.#home)) {
        here.push(pid);
        continue;
      }
      const key = homeKey(pid.home);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { home: pid.home, pids: [pid] });
      else group.pids.push(pid);
    }
    return { here, groups: [...groups.values()] };
  }

  /** Encodes once, to where all transfers can take it from. */
  #encode(data: unknown, groups: readonly Group[], course: Course): EncodedMessage {
    const { bytes, encoding } = encodeValue(data);
    if (encoding === ENCODING.packed) course.encodings++;
    const isNear = groups.some(({ home }) => home.node === this.#home.node);
    const isLarge = bytes.length > this.#outward.inlineBytesMax;
    if (isNear && isLarge && bytes.length <= this.#outward.messageBytesMax) {
      return { encoding, bytes: this.#outward.countBytes(bytes) };
    }
    if (encoding !== ENCODING.packed) return { encoding, bytes };
    // The encoder's memory is used again by the first transfer.
    outgoing.add(bytes.length);
    return { encoding, bytes: Uint8Array.from(bytes) };
  }

  #transfer(
    home: Home,
    pids: readonly Pid[],
    message: EncodedMessage,
    channel: string | undefined,
    course: Course,
  ): void {
    const serials = pids.map(({ serial }) => serial);
    const options = channel === undefined ? undefined : { channel };
    try {
      if (!this.#outward.sendMany(home, serials, message, options)) {
        return course.refuse(pids, "full");
      }
      course.accepted += pids.length;
      course.transfers++;
    } catch (thrown) {
      if (!(thrown instanceof FoundationError)) throw thrown;
      course.refuse(pids, thrown.code);
    }
  }
}
