import type { Unsubscribe } from "../../base/typed-events.ts";
import type { DownEvent, Member } from "../../kernel/members.ts";
import type { Entry } from "./candidate-book.ts";
import type { DiscoveryNode } from "./discovery-node.ts";

/** Who is up, by name and by address, as the events of the node say. */
export class Presence {
  readonly #byName = new Map<string, Member>();
  readonly #byAddress = new Map<string, Member>();
  readonly #stops: readonly Unsubscribe[];

  constructor(
    node: DiscoveryNode,
    onUp: (member: Member) => void,
    onDown: (down: DownEvent, address: string | undefined) => void,
  ) {
    for (const member of node.members()) if (!member.self) this.#add(member);
    this.#stops = [
      node.on("up", (member) => {
        this.#add(member);
        onUp(member);
      }),
      node.on("down", (down) => {
        const before = this.#byName.get(down.name);
        this.#byName.delete(down.name);
        if (before !== undefined && this.#byAddress.get(before.address) === before) {
          this.#byAddress.delete(before.address);
        }
        onDown(down, before?.address);
      }),
    ];
  }

  #add(member: Member): void {
    this.#byName.set(member.name, member);
    this.#byAddress.set(member.address, member);
  }

  /** Names of the members that are up. */
  names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** The member that a candidate is, where it is up. */
  memberOf({ address, member, name }: Entry): Member | undefined {
    const answered = member === undefined ? undefined : this.#byName.get(member);
    const named = name === undefined ? undefined : this.#byName.get(name);
    return this.#byAddress.get(address) ?? answered ?? named;
  }

  /** Hears no more. */
  close(): void {
    for (const stop of this.#stops) stop();
  }
}
