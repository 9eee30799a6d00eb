import { attempt } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { Processes } from "../../beam/processes.ts";
import { errorFromRecord, errorToRecord } from "../errors/json.ts";
import { asFoundationError } from "../errors/wrapping.ts";
import { decodeEvent } from "./event-codec.ts";
import type { EventLogStats } from "./event-log.ts";
import type { EventFilter, EventListener, EventMessage } from "./event-subscriptions.ts";
import type { EventStats, FoundationEvent } from "./event-types.ts";
import type { EventAsker, EventReceipt, EventRequest, EventStoreKind } from "./event-wire.ts";
import type { EventQuery } from "./hot/event-query.ts";

/** The events of a node as an isolate sees them that does not hold them. */
export class DistantEvents implements EventAsker {
  readonly #asker: EventAsker;
  readonly #processes: Processes;

  constructor(asker: EventAsker, processes: Processes) {
    this.#asker = asker;
    this.#processes = processes;
  }

  /** Asks the authority; throws what the request failed with there. */
  async ask(request: EventRequest): Promise<EventReceipt> {
    const receipt = await this.#asker.ask(request);
    if (receipt.error !== undefined) throw errorFromRecord(receipt.error);
    return receipt;
  }

  async fetch(eventId: number): Promise<FoundationEvent | undefined> {
    const { events = [] } = await this.ask({ op: "get", eventId });
    return events.map((bytes) => decodeEvent(bytes))[0];
  }

  /** Asks as often as it takes: one answer holds no more than a message. */
  async find(query: EventQuery, store: EventStoreKind): Promise<FoundationEvent[]> {
    const found: FoundationEvent[] = [];
    const { offset = 0, limit = Number.POSITIVE_INFINITY } = query;
    for (;;) {
      const left = limit - found.length;
      const part = {
        ...query,
        offset: offset + found.length,
        limit: Number.isFinite(left) ? left : undefined,
      };
      const { events = [], isCut = false } = await this.ask({ op: "query", query: part, store });
      for (const bytes of events) found.push(decodeEvent(bytes));
      if (!isCut || found.length >= limit) return found;
    }
  }

  async prune(timestamp: number, store: EventStoreKind): Promise<number> {
    return (await this.ask({ op: "prune", timestamp, store })).number ?? 0;
  }

  async logStats(): Promise<EventLogStats> {
    return (await this.ask({ op: "logStats" })).logStats as EventLogStats;
  }

  async stats(): Promise<EventStats> {
    return (await this.ask({ op: "stats" })).stats as EventStats;
  }

  /** The listener is called by a process of this isolate, which subscribes for it. */
  async follow(listener: EventListener, { where, ...rest }: EventFilter): Promise<Unsubscribe> {
    const pid = this.#processes.spawn(async ({ event }: EventMessage) => {
      try {
        if (where?.(event) !== false) await listener(event);
      } catch (thrown) {
        // The node counts it and writes it down; where it is away, the listener is to go on.
        const error = errorToRecord(asFoundationError(thrown));
        await attempt(async () => this.ask({ op: "failed", error }));
      }
    });
    const stop = (): void => this.#processes.exit(pid, "kill");
    try {
      await this.ask({ op: "subscribe", pid, filter: rest });
      return stop;
    } catch (thrown) {
      stop();
      throw thrown;
    }
  }
}
