import type { Home } from "../base/pid.ts";
import type { LightProcess } from "./process.ts";
import { homeKey } from "./wire.ts";

/** An account of a sending isolate. */
export interface CreditPlace {
  readonly home: Home;
  readonly account: number;
}

/** Tells an isolate of credit. */
export type GiveCredit = (to: CreditPlace, messages: number) => void;

/** What a process has granted, and who waits for it. */
interface Ledger {
  granted: number;
  readonly wanted: Map<string, { readonly place: CreditPlace; messages: number }>;
}

/** The credit that the processes of an isolate give to those who send to them. */
export class CreditLedgers {
  readonly #give: GiveCredit;
  readonly #isStale: (home: Home) => boolean;
  readonly #ledgers = new WeakMap<LightProcess, Ledger>();
  /** Credit of handled messages that is told at the end of the present burst. */
  readonly #due = new Map<string, { readonly place: CreditPlace; messages: number }>();

  /** `isStale`: whether an isolate's node has started anew since. */
  constructor(give: GiveCredit, isStale: (home: Home) => boolean) {
    this.#give = give;
    this.#isStale = isStale;
  }

  /** A message was handled, or will never be: its sender may send another one. */
  handled(place: CreditPlace): void {
    if (this.#due.size === 0) queueMicrotask(() => this.#tell());
    add(this.#due, place, 1);
  }

  #tell(): void {
    const due = [...this.#due.values()];
    this.#due.clear();
    for (const { place, messages } of due) this.#give(place, messages);
  }

  /** Somebody wants to send so many messages. */
  want(process: LightProcess, place: CreditPlace, messages: number): void {
    const ledger = this.#of(process);
    add(ledger.wanted, place, messages);
    this.#share(ledger);
  }

  /** A process takes so many messages more, from whoever asked first. */
  grant(process: LightProcess, messages: number): void {
    const ledger = this.#of(process);
    ledger.granted = Math.min(ledger.granted + messages, Number.MAX_SAFE_INTEGER);
    this.#share(ledger);
  }

  /** What a process has granted and nobody has asked for. Unit: messages. */
  unused(process: LightProcess): number {
    return this.#ledgers.get(process)?.granted ?? 0;
  }

  #of(process: LightProcess): Ledger {
    const known = this.#ledgers.get(process);
    if (known !== undefined) return known;
    const made: Ledger = { granted: 0, wanted: new Map() };
    this.#ledgers.set(process, made);
    return made;
  }

  #share(ledger: Ledger): void {
    for (const [key, want] of ledger.wanted) {
      if (this.#isStale(want.place.home)) {
        ledger.wanted.delete(key);
        continue;
      }
      const messages = Math.min(ledger.granted, want.messages);
      if (messages === 0) return;
      ledger.granted -= messages;
      want.messages -= messages;
      if (want.messages === 0) ledger.wanted.delete(key);
      this.#give(want.place, messages);
    }
  }
}

function add(
  to: Map<string, { readonly place: CreditPlace; messages: number }>,
  place: CreditPlace,
  messages: number,
): void {
  const key = `${homeKey(place.home)}/${place.account}`;
  const known = to.get(key);
  if (known === undefined) to.set(key, { place, messages });
  else known.messages += messages;
}
