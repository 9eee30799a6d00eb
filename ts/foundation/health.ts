import { packageVersion } from "../base/version.ts";
import { capabilities } from "../kernel/native.ts";
import type { ConfigStatus } from "../services/config/config-types.ts";
import type { EventStatus } from "../services/events/event-types.ts";
import type { ServicesHealth } from "../services/health.ts";
import type { TelemetryStatus } from "../services/telemetry/telemetry-types.ts";
import { defaultNode } from "./default-node.ts";
import { Config, Events, Telemetry } from "./module-style.ts";

/** Figures of the services of the default node. */
export interface FoundationStatus {
  readonly config: ConfigStatus;
  readonly events: EventStatus;
  readonly telemetry: TelemetryStatus;
}

/** What runs this program. */
export interface FoundationVersions {
  readonly foundation: string;
  readonly node: string;
  readonly v8: string;
  readonly uv: string;
  /** Highest version of Node-API that the process offers the native core. */
  readonly napi: string;
  /** The parts of the native core that are there: `core`, or `core+shim`. */
  readonly addon: string;
}

/** How the default node is. */
export interface FoundationHealth extends ServicesHealth {
  /** Unit: ms of the monotonic clock of the process. */
  readonly timestamp: number;
  /** As `Foundation.available()`. */
  readonly foundationAvailable: boolean;
  readonly versions: FoundationVersions;
}

/** What `Foundation.status` answers; throws where a service is not running. */
export function foundationStatus(): FoundationStatus {
  return { config: Config.status(), events: Events.status(), telemetry: Telemetry.status() };
}

/** Whether the default node is there with the services of its status. */
export function isFoundationAvailable(): boolean {
  return Config.available() && Events.available() && Telemetry.available();
}

/** What `Foundation.health` answers, also where there is no node. */
export function foundationHealth(): FoundationHealth {
  const none: ServicesHealth = { status: "degraded", services: {} };
  return {
    ...(defaultNode()?.services.health() ?? none),
    timestamp: performance.now(),
    foundationAvailable: isFoundationAvailable(),
    versions: versions(),
  };
}

function versions(): FoundationVersions {
  const { node = "", v8 = "", uv = "", napi = "" } = process.versions;
  const addon = capabilities().sharedAllocation ? "core+shim" : "core";
  return { foundation: packageVersion(), node, v8, uv, napi, addon };
}
