import { FoundationError, native } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { checkKind } from "../base/option-checks.ts";
import { core } from "./native.ts";

/** The isolate that answers to a name. */
export interface Owner {
  readonly slot: number;
  readonly generation: number;
}

/** Names, channels and their numbers, as one isolate knows them. */
export class Directory {
  readonly #isolate: number;
  readonly #ids = new Map<string, number>();
  readonly #owners = new Map<number, Owner>();
  readonly #channelIds: ReadonlyMap<string, number>;
  #channelNames: readonly string[];
  readonly #onOwnersChanged: () => void;

  /** `onOwnersChanged` is called whenever a name may have moved. */
  constructor(isolate: number, declaredChannels: readonly string[], onOwnersChanged: () => void) {
    this.#isolate = isolate;
    this.#onOwnersChanged = onOwnersChanged;
    this.#channelNames = declaredChannels;
    this.#channelIds = new Map(declaredChannels.map((name, index) => [name, index]));
  }

  /** The number of a name; the core gives it out once. */
  nameId(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    checkKind("the name of a receiver", typeof name === "string", "text");
    const id = native(() => core.internName(this.#isolate, name));
    this.#ids.set(name, id);
    return id;
  }

  /** Remembers who answers to a name. */
  setOwner(id: number, owner: Owner | undefined): void {
    if (owner === undefined) this.#owners.delete(id);
    else this.#owners.set(id, owner);
    this.#onOwnersChanged();
  }

  /** Who answers to a name in this node. News may be under way, so an unknown one is asked for. */
  owner(id: number): Owner | undefined {
    const known = this.#owners.get(id);
    return known ?? native(() => core.nameOwner(this.#isolate, id)) ?? undefined;
  }

  /** Learns the channels that peers declared; messages of them can be received. */
  setChannels(names: readonly string[]): void {
    this.#channelNames = names;
  }

  /** Name of a channel number of this node. */
  channelName(channel: number): string {
    return this.#channelNames[channel] ?? `channel ${channel}`;
  }

  /**
   * Number of a channel to send on; no name is the channel `default`.
   *
   * @throws FoundationError `unknown_channel` for one that this node did not declare
   */
  channelId(name: string | undefined): number {
    if (name === undefined) return 0;
    const id = this.#channelIds.get(name);
    if (id !== undefined) return id;
    const guess = nearest(name, [...this.#channelIds.keys()]);
    const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
    throw new FoundationError("unknown_channel", `this node declared no channel '${name}'${hint}`);
  }

  /** Whether a channel of that name was declared here. */
  isDeclaredName(name: string): boolean {
    return this.#channelIds.has(name);
  }

  /** Whether a channel was declared here, so that an answer may use it. */
  isDeclared(channel: number): boolean {
    return channel < this.#channelIds.size;
  }
}
