import type { Pid } from "../../base/pid.ts";
import { outgoing } from "../../kernel/outgoing.ts";
import type { CreditMode } from "../credit-accounts.ts";
import type { Destination, ProcessSendOptions } from "../process-types.ts";
import type { Processes } from "../processes.ts";
import type { Outward } from "./outward.ts";
import type { Attempted, Sending } from "./receiver-queue.ts";

/** What no attempt has copied. */
export const NOT_COPIED = Object.freeze({ copies: 0, copiedBytes: 0 });

/** The ways that a message can go to its receiver. */
export class Sendings {
  readonly #processes: Processes;
  readonly #outward: Outward;

  constructor(processes: Processes, outward: Outward) {
    this.#processes = processes;
    this.#outward = outward;
  }

  /** As `processes.send` does it. */
  plain(to: Destination, message: unknown, channel: string | undefined): Sending {
    return this.#sending(to, channel, (options) => this.#processes.send(to, message, options));
  }

  /** Bytes that the node has counted; another isolate of it reads them in place. */
  counted(to: Pid, bytes: Uint8Array, channel: string | undefined): Sending {
    return this.#sending(to, channel, (options) => {
      return this.#outward.sendCounted(to, bytes, options);
    });
  }

  /**
   * A message that its receiver's credit is needed for. `waiting` says how many wait for that, this
   * one included.
   */
  credited(
    sending: Sending,
    to: Pid,
    message: unknown,
    channel: string | undefined,
    mode: CreditMode,
    waiting: () => number,
  ): Sending {
    const account = this.#outward.accountWith(to, mode);
    const way =
      mode === "manual"
        ? sending
        : this.#sending(to, channel, (options) => {
            return this.#outward.sendCredited(to, account.id, message, options);
          });
    return {
      send: () => {
        if (!account.maySend) return { accepted: false, ...NOT_COPIED };
        const attempted = way.send();
        if (attempted.accepted) account.spend();
        return attempted;
      },
      drained: async () => {
        return account.maySend ? way.drained() : account.granted(waiting());
      },
    };
  }

  #sending(
    to: Destination,
    channel: string | undefined,
    send: (options: ProcessSendOptions | undefined) => boolean,
  ): Sending {
    const options = channel === undefined ? undefined : { channel };
    return {
      send: () => counting(() => send(options)),
      drained: async () => this.#processes.drained(to, options),
    };
  }
}

/** Sends, and says what this isolate has copied meanwhile. */
export function counting(send: () => boolean): Attempted {
  const { copies, copiedBytes } = outgoing;
  const accepted = send();
  return {
    accepted,
    copies: outgoing.copies - copies,
    copiedBytes: outgoing.copiedBytes - copiedBytes,
  };
}
