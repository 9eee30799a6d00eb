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

/** What is known of a service: its slot, or whoever knows better. */
export interface ServiceState {
  readonly name: string;
  readonly isUp: boolean;
  readonly restarts: number;
}

/** How services are, each and together. */
export function healthOf(services: readonly ServiceState[]): ServicesHealth {
  const entries = services.map(({ name, isUp, restarts }): [string, ServiceHealth] => {
    return [name, { status: isUp ? "running" : "unavailable", restarts }];
  });
  const isHealthy = services.every(({ isUp }) => isUp);
  return {
    status: isHealthy ? "healthy" : "degraded",
    services: Object.fromEntries(entries),
  };
}
