import type { Measurements, Metadata, TelemetryName } from "../sinks.ts";

/** What an event measures that only happened. */
export const ONE: Measurements = Object.freeze({ counter: 1 });

/** The full names of telemetry events, made once: reports of a call must cost next to nothing. */
export function eventNames<Event extends string>(
  prefix: readonly string[],
  events: readonly Event[],
): Readonly<Record<Event, TelemetryName>> {
  const names = events.map((event) => [event, Object.freeze([...prefix, event])]);
  return Object.freeze(Object.fromEntries(names) as Record<Event, TelemetryName>);
}

/** Facts, and what the caller wants to go along: nearly always nothing, which costs nothing. */
export function withMetadata(facts: Metadata, metadata: Metadata | undefined): Metadata {
  return metadata === undefined ? facts : { ...metadata, ...facts };
}
