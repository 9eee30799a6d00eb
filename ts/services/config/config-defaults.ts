import type { FoundationConfig } from "./config-types.ts";

/** The configuration of a node that nobody configured: that of Foundation 1.x. */
export const DEFAULT_CONFIG: FoundationConfig = {
  ai: {
    provider: "mock",
    apiKey: null,
    model: "gpt-4",
    analysis: { maxFileSize: 1_000_000, timeout: 30_000, cacheTtl: 3_600 },
    planning: { defaultStrategy: "balanced", performanceTarget: 0.01, samplingRate: 1 },
  },
  capture: {
    ringBuffer: {
      size: 1_024,
      maxEvents: 1_000,
      overflowStrategy: "drop_oldest",
      numBuffers: "schedulers",
    },
    processing: { batchSize: 100, flushInterval: 50, maxQueueSize: 1_000 },
    vmTracing: {
      enableSpawnTrace: true,
      enableExitTrace: true,
      enableMessageTrace: false,
      traceChildren: true,
    },
  },
  storage: {
    hot: { maxEvents: 100_000, maxAgeSeconds: 3_600, pruneInterval: 60_000 },
    warm: { enable: false, path: "./foundation_data", maxSizeMb: 100, compression: "zstd" },
    cold: { enable: false },
  },
  interface: { queryTimeout: 10_000, maxResults: 1_000, enableStreaming: true },
  dev: { debugMode: false, verboseLogging: false, performanceMonitoring: true },
  infrastructure: {
    rateLimiting: {
      enabled: true,
      cleanupInterval: 300_000,
      defaultRules: {
        apiCalls: { limit: 100, windowMs: 60_000 },
        dbQueries: { limit: 500, windowMs: 60_000 },
        fileOperations: { limit: 10, windowMs: 1_000 },
      },
    },
    circuitBreaker: {
      enabled: true,
      defaultConfig: { failureThreshold: 5, recoveryTime: 30_000, callTimeout: 5_000 },
    },
    connectionPool: {
      enabled: true,
      defaultConfig: { size: 10, maxOverflow: 5, strategy: "lifo" },
    },
  },
};

/** Paths that can be changed while the program runs. */
export const UPDATABLE_PATHS: readonly (readonly string[])[] = [
  ["ai", "planning", "samplingRate"],
  ["ai", "planning", "performanceTarget"],
  ["capture", "processing", "batchSize"],
  ["capture", "processing", "flushInterval"],
  ["interface", "queryTimeout"],
  ["interface", "maxResults"],
  ["dev", "debugMode"],
  ["dev", "verboseLogging"],
  ["dev", "performanceMonitoring"],
  ["infrastructure", "rateLimiting", "enabled"],
  ["infrastructure", "rateLimiting", "cleanupInterval"],
  ["infrastructure", "circuitBreaker", "enabled"],
  ["infrastructure", "connectionPool", "enabled"],
];
