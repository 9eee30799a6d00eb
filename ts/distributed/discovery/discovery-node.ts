import type { Unsubscribe } from "../../base/typed-events.ts";
import type { DownEvent, Member } from "../../kernel/members.ts";

interface Heard {
  up: Member;
  down: DownEvent;
  dialFailed: { readonly address: string; readonly code: string };
}

/** What a search for others asks of its node. */
export interface DiscoveryNode {
  readonly name: string;
  readonly cluster: string;
  readonly address: string;
  readonly hasOverlays: boolean;
  on<Name extends keyof Heard>(name: Name, listener: (event: Heard[Name]) => void): Unsubscribe;
  members(): readonly Member[];
  join(addresses: readonly string[], options: { readonly timeoutMs: number }): Promise<string>;
  forget(addresses: readonly string[], options?: { readonly hangUp?: boolean }): void;
}
