import { FoundationError } from "../../base/errors.ts";
import type { From } from "../../beam/envelope.ts";
import { GenServer } from "../../beam/gen-server.ts";
import { errorFromRecord, errorToRecord } from "../errors/json.ts";
import { asFoundationError } from "../errors/wrapping.ts";
import { SteadyServer } from "../steady-server.ts";
import { decodeEvent, encodeEvent } from "./event-codec.ts";
import type { FoundationEvent } from "./event-types.ts";
import {
  EVENT_PARCEL_BYTES,
  EVENT_PARCEL_EVENTS,
  type EventReceipt,
  type EventRequest,
} from "./event-wire.ts";
import type { Events } from "./events.ts";
import type { PendingLimits } from "./pending-events.ts";
import type { ReceivedParcels } from "./received-parcels.ts";

/** What the authority works with; all of it outlives its process. */
export interface EventAuthorityPlan {
  readonly events: Events;
  readonly parcels: ReceivedParcels;
  /** What may be on its way from each isolate. */
  readonly limits: PendingLimits;
  /** Is told where a listener of another isolate failed. */
  readonly onFailure: (error: unknown) => void;
}

/** Answers the other isolates of a node: stores events for them, finds them, tells of them. */
export class EventAuthority extends SteadyServer<[EventAuthorityPlan]> {
  #plan: EventAuthorityPlan | undefined;

  override init(plan: EventAuthorityPlan): void {
    this.self.trapExit = true;
    this.#plan = plan;
  }

  override handleCall(request: EventRequest, from: From): typeof GenServer.noReply {
    // The next request does not wait for this one's commit.
    void this.#answer(request).then((receipt) => from.reply(receipt));
    return GenServer.noReply;
  }

  async #answer(request: EventRequest): Promise<EventReceipt> {
    try {
      return await answer(this.#plan as EventAuthorityPlan, request);
    } catch (thrown) {
      // What a request fails with is its sender's to know, and no end of this process.
      return { error: errorToRecord(asFoundationError(thrown)) };
    }
  }
}

async function answer(plan: EventAuthorityPlan, request: EventRequest): Promise<EventReceipt> {
  const { events } = plan;
  switch (request.op) {
    case "follow": {
      const { pendingEventsMax, pendingBytesMax } = plan.limits;
      return { number: events.nextId, limits: { pendingEventsMax, pendingBytesMax } };
    }
    case "store":
      await plan.parcels.receive(request, async () =>
        events.recordBatch(request.events.map((bytes) => decodeEvent(bytes))),
      );
      return {};
    case "failed":
      plan.onFailure(errorFromRecord(request.error));
      return {};
    case "get": {
      const event = await events.fetch(request.eventId);
      return event === undefined ? {} : { events: [encodeEvent(event)] };
    }
    case "query": {
      const { query, store } = request;
      // One more than a parcel holds, to know whether there are more.
      const limit = Math.min(query.limit ?? Number.POSITIVE_INFINITY, EVENT_PARCEL_EVENTS + 1);
      const part = { ...query, limit };
      return parcel(await (store === "hot" ? events.find(part) : events.history(part)));
    }
    case "prune": {
      const { timestamp, store } = request;
      if (store === "log") return { number: await events.pruneHistory(timestamp) };
      return { number: events.pruneBefore(timestamp) };
    }
    case "stats":
      return { stats: events.stats() };
    case "logStats":
      return { logStats: await events.historyFigures() };
    case "subscribe":
      events.subscribe(request.pid, request.filter);
      return {};
    default:
      throw new FoundationError("operation_not_supported", "the events know no such request");
  }
}

/** As many events as fit into one message. */
function parcel(events: readonly FoundationEvent[]): EventReceipt {
  const encoded: Uint8Array[] = [];
  let bytes = 0;
  for (const event of events) {
    const one = encodeEvent(event);
    bytes += one.length;
    if (bytes > EVENT_PARCEL_BYTES && encoded.length > 0) break;
    if (encoded.length === EVENT_PARCEL_EVENTS) break;
    encoded.push(one);
  }
  return { events: encoded, isCut: encoded.length < events.length };
}
