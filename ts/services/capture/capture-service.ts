import { checkCount, checkDelay, checkKeys, checkKind } from "../../base/option-checks.ts";
import type { ChildOptions } from "../../beam/child-spec.ts";
import type { Processes } from "../../beam/processes.ts";
import { CaptureRing } from "../../kernel/capture-ring.ts";
import type { Config } from "../config/config.ts";
import { serviceChild } from "../service-process.ts";
import { type ServiceCore, ServiceSlot } from "../service-slot.ts";
import type { LogSink, TelemetrySink } from "../sinks.ts";
import { Capture } from "./capture.ts";
import { CAPTURE_UNAVAILABLE, CaptureCore } from "./capture-core.ts";
import { type CaptureConfigReader, ringsOf } from "./capture-settings.ts";
import { CAPTURE_DEFAULTS, type CaptureOptions, type CaptureSink } from "./capture-types.ts";
import { NodeRings } from "./node-rings.ts";

/** What the capture of an isolate stands on. */
export interface CaptureGround {
  readonly processes: Processes;
  readonly isRoot: boolean;
  /** Number of the node in this process. */
  readonly node: number;
  readonly config: Pick<Config, "getWithDefault" | "subscribe">;
  readonly telemetry: TelemetrySink;
  readonly log: LogSink;
}

/** How the capture of a node is started. */
export interface CaptureStart {
  readonly options: CaptureOptions | undefined;
  /** The configuration as it will be: its service has not started yet. */
  readonly config: CaptureConfigReader;
  /** Where batches go, beside the subscribers, unless options say otherwise. Default: nowhere. */
  readonly sink?: CaptureSink;
}

/** Puts the capture of one isolate together: its rings, its facade and its process. */
export class CaptureService {
  readonly capture: Capture;
  readonly #ground: CaptureGround;
  readonly #slot = new ServiceSlot<CaptureCore>("capture", CAPTURE_UNAVAILABLE);
  readonly #rings: NodeRings;
  #recordBytesMax: number = CAPTURE_DEFAULTS.recordBytesMax;
  #waitMs: number = CAPTURE_DEFAULTS.waitMs;
  #config: CaptureConfigReader;

  constructor(ground: CaptureGround) {
    this.#ground = ground;
    this.#config = ground.config;
    const { processes, isRoot, node, config } = ground;
    this.#rings = new NodeRings((wake) => {
      // Made as the isolate that has started the node says, which opens them at its start.
      const plan = ringsOf(this.#config, this.#recordBytesMax);
      return new CaptureRing(node, plan, wake, isRoot);
    });
    const [slot, rings, waitMs] = [this.#slot, this.#rings, (): number => this.#waitMs];
    this.capture = new Capture({ slot, rings, isRoot, processes, config, waitMs });
  }

  /**
   * The process that hands out what was captured: one in the isolate that has started the node,
   * none in others.
   *
   * @throws FoundationError `invalid_options`, `capture_limit`
   */
  children({ options = {}, config, sink }: CaptureStart): ChildOptions[] {
    const { processes, isRoot, telemetry, log } = this.#ground;
    if (!isRoot) return [];
    checkKeys("capture", options, Object.keys(CAPTURE_DEFAULTS));
    const { recordBytesMax, waitMs, store } = { ...CAPTURE_DEFAULTS, ...options };
    checkKind("store", typeof store === "boolean", "true or false");
    this.#recordBytesMax = checkCount("recordBytesMax", recordBytesMax);
    this.#waitMs = checkDelay("waitMs", waitMs);
    this.#config = config;
    void this.#rings.plan; // opened now: what is wrong with the configuration is said at the start
    this.#config = this.#ground.config;
    const wanted = store ? sink : undefined;
    const parts = { ring: this.#rings, config: this.#ground.config, sink: wanted, telemetry, log };
    const make = (last: CaptureCore | undefined): CaptureCore => new CaptureCore(parts, last);
    return [serviceChild({ slot: this.#slot, processes, make })];
  }

  /** Where its process is found; none in isolates without one. */
  get slots(): readonly ServiceSlot<ServiceCore>[] {
    return this.#ground.isRoot ? [this.#slot] : [];
  }

  /** Has changes of the configuration count at once. Called when its service has started. */
  follow(): void {
    const { isRoot, config, log } = this.#ground;
    if (!isRoot) return;
    const path = ["capture"];
    config.subscribe(
      () => {
        if (this.#slot.isUp) this.#slot.core.reconfigure();
        const made = this.#rings.plan;
        const wanted = ringsOf(config, made.recordBytesMax);
        if (Object.entries(wanted).every(([key, value]) => Reflect.get(made, key) === value))
          return;
        log.log("warn", "capture.ringBuffer counts from the next start of the node", {
          made,
          wanted,
        });
      },
      { path },
    );
  }

  /** Lets go of the rings. Its process, or the slot, has been closed before. */
  close(): void {
    this.capture.close();
  }
}
