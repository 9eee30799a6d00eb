import type { ServiceCore, ServiceSlot } from "./service-slot.ts";

/** How one service is. */
export interface ServiceHealth {
  /** `unavailable`: its process has not started, has ended, or is being restarted. */
  readonly status: "running" | "unavailable";
  /** How often it was started again. */
  readonly restarts: number;
}

/** How the services of an isolate are. */
export interface ServicesHealth {
  /** `healthy`: every service is running. */
  readonly status: "healthy" | "degraded";
  readonly services: Readonly<Record<string, ServiceHealth>>;
}

/** How services are, by the slots of their cores. */
export function healthOf(slots: readonly ServiceSlot<ServiceCore>[]): ServicesHealth {
  const entries = slots.map(({ name, isUp, restarts }): [string, ServiceHealth] => {
    return [name, { status: isUp ? "running" : "unavailable", restarts }];
  });
  const isHealthy = slots.every(({ isUp }) => isUp);
  return {
    status: isHealthy ? "healthy" : "degraded",
    services: Object.fromEntries(entries),
  };
}
