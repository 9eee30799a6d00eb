import type { FoundationConfig } from "./config-types.ts";

/** Why a value is refused, by the number of its error. */
export type RuleNumber = 1001 | 1002 | 1003 | 1004;

/** What a setting has to be. */
export interface Rule {
  /** Where it is, in camelCase. */
  readonly path: readonly string[];
  readonly isMet: (value: unknown, config: FoundationConfig) => boolean;
  /** What it has to be, behind "must be". */
  readonly text: string;
  readonly numericCode: RuleNumber;
}

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);

function count(path: string): Rule {
  const isMet = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
  return { path: path.split("."), isMet, text: "a whole number above 0", numericCode: 1001 };
}

function atLeastZero(path: string): Rule {
  const isMet = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  return { path: path.split("."), isMet, text: "a whole number from 0", numericCode: 1001 };
}

function toggle(path: string): Rule {
  const isMet = (value: unknown): boolean => typeof value === "boolean";
  return { path: path.split("."), isMet, text: "true or false", numericCode: 1001 };
}

function word(path: string, words: readonly string[]): Rule {
  const isMet = (value: unknown): boolean => words.includes(value as string);
  return { path: path.split("."), isMet, text: `one of ${words.join(", ")}`, numericCode: 1002 };
}

function rule(path: string, numericCode: RuleNumber, text: string, isMet: Rule["isMet"]): Rule {
  return { path: path.split("."), isMet, text, numericCode };
}

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";

/** The rules of each section, in the order in which they are looked at. */
export const CONFIG_RULES: Readonly<Record<keyof FoundationConfig, readonly Rule[]>> = {
  ai: [
    word("ai.provider", ["mock", "openai", "anthropic", "gemini"]),
    rule("ai.apiKey", 1001, "a text or null", (value) => value === null || isText(value)),
    rule("ai.model", 1001, "a text", isText),
    count("ai.analysis.maxFileSize"),
    count("ai.analysis.timeout"),
    count("ai.analysis.cacheTtl"),
    word("ai.planning.defaultStrategy", ["fast", "balanced", "thorough"]),
    rule(
      "ai.planning.performanceTarget",
      1003,
      "a number of at least 0",
      (value) => isNumber(value) && value >= 0,
    ),
    rule(
      "ai.planning.samplingRate",
      1004,
      "a number from 0 to 1",
      (value) => isNumber(value) && value >= 0 && value <= 1,
    ),
  ],
  capture: [
    count("capture.ringBuffer.size"),
    count("capture.ringBuffer.maxEvents"),
    word("capture.ringBuffer.overflowStrategy", ["drop_oldest", "drop_newest", "block"]),
    rule(
      "capture.ringBuffer.numBuffers",
      1001,
      "a whole number above 0, or 'schedulers'",
      (value) => value === "schedulers" || (Number.isSafeInteger(value) && (value as number) > 0),
    ),
    count("capture.processing.batchSize"),
    count("capture.processing.flushInterval"),
    count("capture.processing.maxQueueSize"),
    toggle("capture.vmTracing.enableSpawnTrace"),
    toggle("capture.vmTracing.enableExitTrace"),
    toggle("capture.vmTracing.enableMessageTrace"),
    toggle("capture.vmTracing.traceChildren"),
  ],
  storage: [
    count("storage.hot.maxEvents"),
    count("storage.hot.maxAgeSeconds"),
    count("storage.hot.pruneInterval"),
    toggle("storage.warm.enable"),
    rule("storage.warm.path", 1001, "a text where the warm store is enabled", (value, config) => {
      return !config.storage.warm.enable || isText(value);
    }),
    rule(
      "storage.warm.maxSizeMb",
      1001,
      "a whole number of at least 8 where the warm store is enabled",
      (value, { storage }) =>
        !storage.warm.enable || (Number.isSafeInteger(value) && (value as number) >= 8),
    ),
    word("storage.warm.compression", ["none", "gzip", "zstd"]),
    rule("storage.cold.enable", 1001, "false: there is no cold store", (value) => value === false),
  ],
  interface: [
    count("interface.queryTimeout"),
    count("interface.maxResults"),
    toggle("interface.enableStreaming"),
  ],
  dev: [toggle("dev.debugMode"), toggle("dev.verboseLogging"), toggle("dev.performanceMonitoring")],
  infrastructure: [
    toggle("infrastructure.rateLimiting.enabled"),
    count("infrastructure.rateLimiting.cleanupInterval"),
    ...["apiCalls", "dbQueries", "fileOperations"].flatMap((name) => [
      atLeastZero(`infrastructure.rateLimiting.defaultRules.${name}.limit`),
      count(`infrastructure.rateLimiting.defaultRules.${name}.windowMs`),
    ]),
    toggle("infrastructure.circuitBreaker.enabled"),
    count("infrastructure.circuitBreaker.defaultConfig.failureThreshold"),
    count("infrastructure.circuitBreaker.defaultConfig.recoveryTime"),
    count("infrastructure.circuitBreaker.defaultConfig.callTimeout"),
    toggle("infrastructure.connectionPool.enabled"),
    count("infrastructure.connectionPool.defaultConfig.size"),
    atLeastZero("infrastructure.connectionPool.defaultConfig.maxOverflow"),
    word("infrastructure.connectionPool.defaultConfig.strategy", ["lifo", "fifo"]),
  ],
};
