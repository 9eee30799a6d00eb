import type { EcosystemHealth, EcosystemQueue, EcosystemWorkerInfo } from "./ecosystem-types.ts";

/** What health is judged by. */
export interface HealthFigures {
  readonly workers: readonly EcosystemWorkerInfo[];
  readonly queue: EcosystemQueue;
  /** Unit: ms. */
  readonly highDelayMs: number;
}

/** Judges an ecosystem by its figures. */
export function healthOf({ workers, queue, highDelayMs }: HealthFigures): EcosystemHealth {
  const wanted = workers.filter(({ state }) => state !== "draining" && state !== "recycling");
  const up = wanted.filter(({ state }) => state === "up").length;
  const { waiting, waitingMax, oldestMs, delay } = queue;
  const queueDelayMs = waiting === 0 ? 0 : Math.max(oldestMs, delay.meanMs);
  const critical = [
    ...(up === 0 ? ["no worker is up"] : []),
    ...(waiting >= waitingMax ? [`the queue is full: ${waiting}`] : []),
  ];
  const degraded = [
    ...(up > 0 && up < wanted.length ? [`${wanted.length - up} of the workers are down`] : []),
    ...(waiting < waitingMax && waiting * 2 >= waitingMax ? ["the queue is half full"] : []),
    ...(queueDelayMs > highDelayMs ? [`work waits for ${Math.round(queueDelayMs)} ms`] : []),
  ];
  const reasons = [...critical, ...degraded];
  const bad = critical.length > 0 ? "critical" : "degraded";
  return {
    status: reasons.length === 0 ? "healthy" : bad,
    reasons,
    workersWanted: wanted.length,
    workersUp: up,
    restarts: workers.reduce((sum, { restarts }) => sum + restarts, 0),
    waiting,
    waitingMax,
    queueDelayMs,
  };
}
