import { attempt } from "../base/errors.ts";
import { checkKind } from "../base/option-checks.ts";

/** Numbers that a telemetry event reports, by name. */
export type Measurements = Readonly<Record<string, number>>;

/** What else is known of a telemetry event. Values are for logs: no payloads, no secrets. */
export type Metadata = Readonly<Record<string, unknown>>;

/** Name of a telemetry event or metric: at least one word. */
export type TelemetryName = readonly string[];

/** Where services report what they do. Never throws, never waits. */
export interface TelemetrySink {
  execute(name: TelemetryName, measurements: Measurements, metadata: Metadata): void;
}

/** Takes reports and keeps none: for a service that is used by itself. */
export const NO_TELEMETRY: TelemetrySink = Object.freeze({ execute: () => {} });

/** How much a line of the log matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Where services write what people read. Never throws, never waits. */
export interface LogSink {
  log(level: LogLevel, message: string, facts: Metadata): void;
}

/** Where nobody reads: what is written is gone. */
export const NO_LOG: LogSink = Object.freeze({ log: () => {} });

/**
 * Checks where the log goes.
 *
 * @throws FoundationError `invalid_options` for what is no object with a function `log`
 */
export function checkLog(log: LogSink | undefined): void {
  if (log === undefined) return;
  const isSink = typeof (log as Partial<LogSink> | null)?.log === "function";
  checkKind("log", isSink, "an object with a function log(level, message, facts)");
}

/** A log that throws harms nobody who writes into it. */
export function guardedLog(log: LogSink): LogSink {
  return { log: (...line) => void attempt(() => log.log(...line)) };
}
