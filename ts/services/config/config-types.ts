/** Providers of models that the `ai` section may name. */
export type AiProvider = "mock" | "openai" | "anthropic" | "gemini";

/** What happens to a capture ring that is full. */
export type RingOverflow = "drop_oldest" | "drop_newest" | "block";

/** Which models a program uses and how it spends them; for programs to read. */
export interface AiConfig {
  readonly provider: AiProvider;
  /** A secret: shown as `[redacted]` wherever configuration is printed. */
  readonly apiKey: string | null;
  readonly model: string;
  /** Units: bytes, ms, seconds. */
  readonly analysis: {
    readonly maxFileSize: number;
    readonly timeout: number;
    readonly cacheTtl: number;
  };
  readonly planning: {
    readonly defaultStrategy: "fast" | "balanced" | "thorough";
    /** At least 0. */
    readonly performanceTarget: number;
    /** From 0 to 1. */
    readonly samplingRate: number;
  };
}

/** The section `capture`: the ring that events of instrumented code go through. */
export interface CaptureConfig {
  readonly ringBuffer: {
    /** Entries; rounded up to a power of two. */
    readonly size: number;
    readonly maxEvents: number;
    readonly overflowStrategy: RingOverflow;
    /** Rings, or one for each CPU. */
    readonly numBuffers: number | "schedulers";
  };
  readonly processing: {
    /** Events taken from the ring at once. */
    readonly batchSize: number;
    /** Unit: ms. */
    readonly flushInterval: number;
    /** Unit: events. */
    readonly maxQueueSize: number;
  };
  readonly vmTracing: {
    readonly enableSpawnTrace: boolean;
    readonly enableExitTrace: boolean;
    readonly enableMessageTrace: boolean;
    readonly traceChildren: boolean;
  };
}

/** The section `storage`: where events are kept. */
export interface StorageConfig {
  readonly hot: {
    readonly maxEvents: number;
    readonly maxAgeSeconds: number;
    /** Unit: ms. */
    readonly pruneInterval: number;
  };
  readonly warm: {
    readonly enable: boolean;
    readonly path: string;
    readonly maxSizeMb: number;
    readonly compression: "none" | "gzip" | "zstd";
  };
  /** There is no cold store: `enable: true` is refused, as in Foundation 1.x. */
  readonly cold: { readonly enable: boolean };
}

/** Limits on what a program answers its users with; for programs to read. */
export interface InterfaceConfig {
  /** Unit: ms. */
  readonly queryTimeout: number;
  readonly maxResults: number;
  readonly enableStreaming: boolean;
}

/** What a program does for its developers; for programs to read. */
export interface DevConfig {
  readonly debugMode: boolean;
  readonly verboseLogging: boolean;
  readonly performanceMonitoring: boolean;
}

/** How often something may be done in a window. */
export interface RateRule {
  readonly limit: number;
  /** Unit: ms. */
  readonly windowMs: number;
}

/** The section `infrastructure`: limits of `executeProtected` that nothing else sets. */
export interface InfrastructureConfig {
  readonly rateLimiting: {
    readonly enabled: boolean;
    /** Unit: ms. */
    readonly cleanupInterval: number;
    readonly defaultRules: {
      readonly apiCalls: RateRule;
      readonly dbQueries: RateRule;
      readonly fileOperations: RateRule;
    };
  };
  readonly circuitBreaker: {
    readonly enabled: boolean;
    /** Times: ms. */
    readonly defaultConfig: {
      readonly failureThreshold: number;
      readonly recoveryTime: number;
      readonly callTimeout: number;
    };
  };
  readonly connectionPool: {
    readonly enabled: boolean;
    readonly defaultConfig: {
      readonly size: number;
      readonly maxOverflow: number;
      readonly strategy: "lifo" | "fifo";
    };
  };
}

/** The configuration of a node. Sections of the user's own lie beside these. */
export interface FoundationConfig {
  readonly ai: AiConfig;
  readonly capture: CaptureConfig;
  readonly storage: StorageConfig;
  readonly interface: InterfaceConfig;
  readonly dev: DevConfig;
  readonly infrastructure: InfrastructureConfig;
}

/** Any part of a configuration. */
export type PartialConfig<T = FoundationConfig> = {
  readonly [Key in keyof T]?: T[Key] extends object ? PartialConfig<T[Key]> : T[Key];
};

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

type KeyOf<T, S extends string> = S extends keyof T
  ? S
  : Camel<S> extends keyof T
    ? Camel<S>
    : never;

/**
 * What lies at a path, in camelCase or in the snake_case of Foundation 1.x; `unknown` for a path
 * that is not known beforehand, or of a section of the user's own.
 */
export type PathValue<T, P extends readonly string[]> = string[] extends P
  ? unknown
  : readonly string[] extends P
    ? unknown
    : P extends readonly [infer Head extends string, ...infer Tail extends readonly string[]]
      ? KeyOf<T, Head> extends never
        ? unknown
        : PathValue<T[KeyOf<T, Head>], Tail>
      : T;

/** A change that subscribers are told of. */
export type ConfigNotification =
  | {
      readonly kind: "config_updated";
      readonly path: readonly string[];
      readonly value: unknown;
      readonly previousValue: unknown;
    }
  | { readonly kind: "config_reset"; readonly config: FoundationConfig };

/** Figures of the configuration service. */
export interface ConfigStatus {
  readonly status: "running";
  /** Unit: ms. */
  readonly uptimeMs: number;
  readonly updatesCount: number;
  /** When it was changed last. Unit: ms since 1970; undefined where it was not. */
  readonly lastUpdate: number | undefined;
  readonly subscribersCount: number;
  /** Calls to subscribers that threw or rejected. */
  readonly subscriberFailures: number;
}
