import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkKeys, checkKind } from "../../base/option-checks.ts";
import type { ChildOptions } from "../../beam/child-spec.ts";
import type { Processes } from "../../beam/processes.ts";
import type { StorageConfig } from "../config/config-types.ts";
import { type ServicePlan, serviceChild } from "../service-process.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { LogSink, TelemetrySink } from "../sinks.ts";
import type { PlainObject } from "../toolkit/nested.ts";
import { DistantEvents } from "./distant-events.ts";
import { EventAuthority, type EventAuthorityPlan } from "./event-authority.ts";
import { EventCore } from "./event-core.ts";
import { EventFollower } from "./event-follower.ts";
import { EventOrigin } from "./event-origin.ts";
import { EventSender } from "./event-sender.ts";
import {
  EVENT_STORE_DEFAULTS,
  type EventStoreLimits,
  type EventStoreOptions,
  eventStoreLimits,
} from "./event-service-options.ts";
import { EVENT_AUTHORITY_NAME, type EventReceipt, type EventRequest } from "./event-wire.ts";
import { type DistantParts, Events } from "./events.ts";
import { LogWriter } from "./log-writer.ts";
import type { PendingLimits } from "./pending-events.ts";
import { ReceivedParcels } from "./received-parcels.ts";
import type { RetentionConfig } from "./retention.ts";
import { openConfiguredStore } from "./warm/configured-store.ts";

/** What the event service of an isolate stands on. */
export interface EventGround {
  readonly slot: ServiceSlot<EventCore>;
  readonly processes: Processes;
  /** Whether the events of the node are held here. */
  readonly isRoot: boolean;
  readonly config: RetentionConfig;
  readonly telemetry: TelemetrySink;
  readonly log: LogSink;
}

/** The event service of an isolate, and the processes behind it. */
export class EventService {
  readonly events: Events;
  readonly #ground: EventGround;
  /** What all events of the isolate are made with. */
  readonly origin: EventOrigin;
  #limits: EventStoreLimits = EVENT_STORE_DEFAULTS;
  #writer: LogWriter | undefined;
  #isLinked = false;

  constructor(ground: EventGround) {
    this.#ground = ground;
    const { slot, processes, isRoot } = ground;
    this.origin = new EventOrigin({ home: processes.home, self: () => processes.self() });
    const distant = isRoot ? undefined : this.#distant();
    this.events = new Events({ slot, origin: this.origin, distant });
  }

  /**
   * Checks options and opens the log that they or the section `storage.warm` ask for.
   *
   * @throws FoundationError `invalid_options`, and what the log cannot be opened for
   */
  async open(options: EventStoreOptions, section: StorageConfig["warm"]): Promise<void> {
    checkKeys("events", options, [...Object.keys(EVENT_STORE_DEFAULTS), "log", "warm"]);
    const { log, warm, ...limits } = options;
    checkKind("log", log === undefined || typeof log.append === "function", "an event log");
    if (log !== undefined && warm !== undefined) {
      const text = "events have a log of their own or a warm store, not both";
      throw new FoundationError("invalid_options", text);
    }
    this.#limits = eventStoreLimits(limits);
    if (!this.#ground.isRoot) return;
    const opened = log ?? (await openConfiguredStore(section, warm));
    if (opened === undefined) return;
    this.#writer = this.#writerTo(opened);
    this.origin.ids.raise((await opened.stats()).eventIdMax);
  }

  /** What a supervisor starts. `started`: is told of each start of the service. */
  children(started: Pick<ServicePlan<EventCore>, "started">): ChildOptions[] {
    const { slot, processes, isRoot } = this.#ground;
    if (!isRoot) {
      const onLink = (isThere: boolean, limits?: PendingLimits): void => {
        this.#isLinked = isThere;
        this.#limits = { ...this.#limits, ...limits };
      };
      const plan = { processes, ids: this.origin.ids, onLink };
      return [{ id: "eventFollower", start: EventFollower, args: [plan] }];
    }
    const make = (last: EventCore | undefined): EventCore => this.#core(last);
    const start = EventAuthority;
    const args = [this.#authorityPlan()];
    return [
      serviceChild({ slot, processes, make, ...started }),
      { id: "eventAuthority", start, args, name: EVENT_AUTHORITY_NAME },
    ];
  }

  /** Takes down what happened to the configuration, for its service. */
  record(type: string, data: PlainObject): void {
    try {
      this.events.store(this.events.newEvent(type, data));
    } catch (thrown) {
      this.#ground.log.log("warn", "an event could not be stored", { type, error: thrown });
      throw thrown;
    }
  }

  /** Lets go of the log; resolves when that has all that was stored. */
  async close(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined) return;
    await writer.drained();
    await writer.log.close();
  }

  #authorityPlan(): EventAuthorityPlan {
    const { slot, log } = this.#ground;
    return {
      events: this.events,
      parcels: new ReceivedParcels(),
      limits: this.#limits,
      onFailure: (error) => {
        slot.present?.subscriptions.countFailure();
        log.log("warn", "a listener of events failed", { error });
      },
    };
  }

  #core(last: EventCore | undefined): EventCore {
    const { config, telemetry, log, processes: host } = this.#ground;
    const parts = { config, telemetry, log, host, origin: this.origin, limits: this.#limits };
    return new EventCore({ ...parts, writer: this.#writer }, last);
  }

  #writerTo(log: NonNullable<EventStoreOptions["log"]>): LogWriter {
    return new LogWriter(log, this.#limits.logBytesMax, (error, events) => {
      this.#ground.log.log("error", "events did not get into the log", { events, error });
    });
  }

  #distant(): DistantParts {
    const { processes } = this.#ground;
    const ask = async (request: EventRequest): Promise<EventReceipt> => {
      return (await processes.call(EVENT_AUTHORITY_NAME, request)) as EventReceipt;
    };
    return {
      events: new DistantEvents({ ask }, processes),
      sender: new EventSender({ ask }, () => this.#limits, SYSTEM_CLOCK),
      isLinked: () => this.#isLinked,
    };
  }
}
