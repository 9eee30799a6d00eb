import type { Unsubscribe } from "../../base/typed-events.ts";
import type { DownEvent, Member } from "../../kernel/members.ts";
import type { NodeMetrics } from "../../kernel/node-types.ts";
import type { OverlayCommands, SwitchEvent } from "../../kernel/overlay-commands.ts";

interface Heard {
  up: Member;
  down: DownEvent;
  overlaySwitch: SwitchEvent;
}

/** What a topology asks of its node. */
export interface TopologyNode extends OverlayCommands {
  readonly name: string;
  on<Name extends keyof Heard>(name: Name, listener: (event: Heard[Name]) => void): Unsubscribe;
  metrics(): Pick<NodeMetrics, "channels">;
  join(addresses: readonly string[]): Promise<string>;
}
