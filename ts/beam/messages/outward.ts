import type { Home, Pid } from "../../base/pid.ts";
import type { EncodedMessage } from "../bulk.ts";
import type { CreditAccount, CreditMode } from "../credit-accounts.ts";
import type { ProcessSendOptions } from "../process-types.ts";
import type { MessageLimits } from "./size.ts";

/** What a node can do for messages besides `processes.send`. */
export interface Outward extends MessageLimits {
  /** See `ClusterNode.countBytes`. */
  countBytes(bytes: Uint8Array): Uint8Array;
  /** See `ClusterNode.channelOfPriority`. */
  channelOfPriority(priority: number): string | undefined;
  /** See `ClusterNode.priorityOf`. */
  priorityOf(channel: string): number | undefined;
  /** See `Distribution.sendCounted`. */
  sendCounted(to: Pid, bytes: Uint8Array, options: ProcessSendOptions | undefined): boolean;
  /** See `Distribution.sendMany`. */
  sendMany(
    to: Home,
    serials: readonly number[],
    message: EncodedMessage,
    options: ProcessSendOptions | undefined,
  ): boolean;
  /** See `CreditAccounts.with`. */
  accountWith(receiver: Pid, mode: CreditMode): CreditAccount;
  /** See `Distribution.sendCredited`. */
  sendCredited(
    to: Pid,
    account: number,
    message: unknown,
    options: ProcessSendOptions | undefined,
  ): boolean;
  /** Lets those who wait for a process's word send to it; see `Self.grant`. */
  grant(pid: Pid, messages: number): void;
}
