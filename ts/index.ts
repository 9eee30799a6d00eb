/** The public API of foundation-runtime. What is not exported here is internal. */

export type { CancelTimer, Clock } from "./base/clock.ts";
export { SYSTEM_CLOCK } from "./base/clock.ts";
export type { ErrorCategory, ErrorClass, RetryStrategy, Severity } from "./base/error-class.ts";
export type { ErrorCode } from "./base/error-codes.ts";
export { ERROR_CODES, errorClassOf, isErrorCode } from "./base/error-codes.ts";
export type { Attempt, ErrorFacts, FoundationErrorOptions } from "./base/errors.ts";
export { attempt, FoundationError } from "./base/errors.ts";
export type { HybridClockOptions, HybridTime } from "./base/hybrid-clock.ts";
export {
  compareHybridTimes,
  HYBRID_CLOCK_DEFAULTS,
  HYBRID_COUNTER_MAX,
  HybridClock,
  isHybridTime,
} from "./base/hybrid-clock.ts";
export type { IoPart } from "./base/io-list.ts";
export { IoList, ioList } from "./base/io-list.ts";
export { ManualClock } from "./base/manual-clock.ts";
export { comparePids, Pid, parsePid } from "./base/pid.ts";
export type { Unsubscribe } from "./base/typed-events.ts";
export { Agent } from "./beam/agents.ts";
export type { Beam } from "./beam/beam.ts";
export type { ChildOptions, RestartType } from "./beam/child-spec.ts";
export { CHILD_DEFAULTS } from "./beam/child-spec.ts";
export { dynamicSupervisor } from "./beam/dynamic-supervisor.ts";
export type {
  ChoiceFailure,
  ChooseRequest,
  ChooseWorker,
  DispatchRule,
  EcosystemCoordinator,
  EcosystemCoordinatorOptions,
  FreeWorker,
  OfferedWork,
} from "./beam/ecosystems/coordinator-types.ts";
export { ECOSYSTEM_COORDINATOR_DEFAULTS } from "./beam/ecosystems/coordinator-types.ts";
export type {
  ChoosePlace,
  EcosystemDistribution,
  EcosystemDistributionOptions,
  PlaceCandidate,
  Placement,
} from "./beam/ecosystems/distribution-types.ts";
export { ECOSYSTEM_DISTRIBUTION_DEFAULTS } from "./beam/ecosystems/distribution-types.ts";
export type {
  EcosystemCounts,
  EcosystemHealth,
  EcosystemInfo,
  EcosystemOptions,
  EcosystemQueue,
  EcosystemShutdown,
  EcosystemShutdownOptions,
  EcosystemSupervisionOptions,
  EcosystemWorkerInfo,
  EcosystemWorkerOptions,
  FaultTolerance,
  QueueDelay,
  SpawnEcosystem,
} from "./beam/ecosystems/ecosystem-types.ts";
export {
  ECOSYSTEM_SHUTDOWN_DEFAULTS,
  ECOSYSTEM_WORKER_DEFAULTS,
} from "./beam/ecosystems/ecosystem-types.ts";
export type { Ecosystems } from "./beam/ecosystems/ecosystems.ts";
export type {
  GcStrategy,
  MemoryStrategy,
  RecycleOptions,
  SharingCounts,
} from "./beam/ecosystems/memory-types.ts";
export type {
  EcosystemScaling,
  EcosystemScalingOptions,
  ScalingDecision,
  ScalingFigures,
  ScalingVerdict,
} from "./beam/ecosystems/scaling-types.ts";
export { ECOSYSTEM_SCALING_DEFAULTS } from "./beam/ecosystems/scaling-types.ts";
export type { Beside, Neighbours, Topology } from "./beam/ecosystems/topology.ts";
export { isNeighbours } from "./beam/ecosystems/topology.ts";
export type { Delivery, From } from "./beam/envelope.ts";
export { NO_REPLY } from "./beam/envelope.ts";
export type { EventHandler } from "./beam/event-manager.ts";
export { EventManager } from "./beam/event-manager.ts";
export type { Factory, SpawnOnOptions } from "./beam/factories.ts";
export type { GenServerClass } from "./beam/gen-server.ts";
export { GenServer } from "./beam/gen-server.ts";
export type { HeavyBlueprint, HeavyOptions } from "./beam/heavy.ts";
export { HEAVY_DEFAULTS, heavy } from "./beam/heavy.ts";
export type { HeavyPoolCounts, HeavyPoolOptions } from "./beam/heavy-pool.ts";
export { HEAVY_POOL_DEFAULTS } from "./beam/heavy-pool.ts";
export type { LimitExceeded } from "./beam/limits.ts";
export type { MailboxOptions, MailboxPolicy } from "./beam/mailbox.ts";
export { MAILBOX_DEFAULTS } from "./beam/mailbox.ts";
export type { AnalysisOptions, MemoryAnalysis } from "./beam/memory/analysis-types.ts";
export { ANALYSIS_DEFAULTS } from "./beam/memory/analysis-types.ts";
export type { AtomCounts, AtomEviction, AtomId, AtomOptions } from "./beam/memory/atoms.ts";
export { ATOM_DEFAULTS, AtomTable } from "./beam/memory/atoms.ts";
export type { BinaryOptions, BinaryStrategy, OptimizedBinary } from "./beam/memory/binaries.ts";
export { BINARY_DEFAULTS } from "./beam/memory/binaries.ts";
export type { CgroupMemory } from "./beam/memory/cgroup.ts";
export type { LabelCounts, LabelOptions, LabelOverflow, Labels } from "./beam/memory/labels.ts";
export { LABEL_DEFAULTS, LabelGuard } from "./beam/memory/labels.ts";
export type { Memory } from "./beam/memory/memory.ts";
export type { PressureAction, PressureEvent, PressureLevel } from "./beam/memory/pressure.ts";
export type { Recommendation } from "./beam/memory/recommendations.ts";
export { SharedBinaries } from "./beam/memory/shared-binaries.ts";
export type {
  PutOptions,
  SharedBinariesCounts,
  SharedBinariesEvents,
  SharedBinariesOptions,
} from "./beam/memory/shared-binaries-types.ts";
export { PUT_DEFAULTS, SHARED_BINARIES_DEFAULTS } from "./beam/memory/shared-binaries-types.ts";
export type { BinaryTicket, SharedBinary } from "./beam/memory/shared-binary.ts";
export { openSharedBinary } from "./beam/memory/shared-binary.ts";
export type {
  BackpressureCounts,
  BackpressureOptions,
  BackpressureOutcome,
  BackpressureReceipt,
  WhenFull,
} from "./beam/messages/backpressure.ts";
export { BACKPRESSURE_DEFAULTS } from "./beam/messages/backpressure.ts";
export type {
  BroadcastOptions,
  BroadcastRefusal,
  BroadcastReport,
} from "./beam/messages/broadcast.ts";
export type { ChannelChoice } from "./beam/messages/channels.ts";
export type { Messages } from "./beam/messages/messages.ts";
export type {
  FlowControl,
  OptimizedSendOptions,
  SendReceipt,
  SendStrategy,
} from "./beam/messages/optimized-types.ts";
export { OPTIMIZED_SEND_DEFAULTS } from "./beam/messages/optimized-types.ts";
export type { ExpectedCopies, MessageSize } from "./beam/messages/size.ts";
export type {
  Destination,
  NamedProcess,
  ProcessBody,
  ProcessCallOptions,
  ProcessHandler,
  ProcessInfo,
  ProcessSendOptions,
  ReceiveOptions,
  Self,
  Spawnable,
  SpawnOptions,
  Via,
} from "./beam/process-types.ts";
export { PROCESS_CALL_DEFAULTS } from "./beam/process-types.ts";
export type { ProcessEvents, Processes, ProcessGauges } from "./beam/processes.ts";
export type { IntensityOptions } from "./beam/restart-intensity.ts";
export { INTENSITY_DEFAULTS } from "./beam/restart-intensity.ts";
export type { CrashReport, ProcessCounts } from "./beam/runtime.ts";
export type { CpuOptions } from "./beam/schedulers/cpu-intensive.ts";
export { CPU_DEFAULTS } from "./beam/schedulers/cpu-intensive.ts";
export type { LoopDelay, LoopMonitor } from "./beam/schedulers/loop-delay.ts";
export type { SchedulerInfo } from "./beam/schedulers/pool.ts";
export type { SchedulerOptions, WorkOptions } from "./beam/schedulers/scheduler-options.ts";
export { SCHEDULER_DEFAULTS, WORK_DEFAULTS } from "./beam/schedulers/scheduler-options.ts";
export type { Schedulers } from "./beam/schedulers/schedulers.ts";
export type { Down, Exit, ExitReason, MonitorRef, Shutdown } from "./beam/signals.ts";
export { isDown, isExit } from "./beam/signals.ts";
export type { Blueprint, Startable, StartOptions } from "./beam/startable.ts";
export type { StateHandlers, StateMachineClass } from "./beam/state-machine.ts";
export { StateMachine } from "./beam/state-machine.ts";
export { supervisor } from "./beam/supervisor.ts";
export type {
  BackoffOptions,
  ChildCounts,
  ChildInfo,
  DynamicSupervisionOptions,
  DynamicSupervisorOptions,
  Strategy,
  SupervisionOptions,
  SupervisorOptions,
} from "./beam/supervisor-types.ts";
export { BACKOFF_DEFAULTS, SUPERVISOR_DEFAULTS } from "./beam/supervisor-types.ts";
export type { Supervisors } from "./beam/supervisors.ts";
export type { Task, TaskOptions, Tasks } from "./beam/tasks.ts";
export type { TimerRef } from "./beam/timers.ts";
export type { StallReport, WatchOptions } from "./beam/watchdog.ts";
export type {
  FoundationHealth,
  FoundationStatus,
  FoundationVersions,
} from "./foundation/health.ts";
export {
  Config,
  ErrorContext,
  Infrastructure,
  ProcessRegistry,
  ServiceRegistry,
  Services,
  Telemetry,
} from "./foundation/module-style.ts";
export type { FoundationStartOptions } from "./foundation.ts";
export { Foundation, FoundationNode } from "./foundation.ts";
export type { HandleOptions, MessageContext } from "./kernel/handlers.ts";
export type { InterruptOptions, IsolateHeap, NodeIsolate } from "./kernel/interrupts.ts";
export type { NodeKeys } from "./kernel/keys.ts";
export type { DownEvent, Member } from "./kernel/members.ts";
export type { Capabilities } from "./kernel/native.ts";
export { allocateShared, capabilities, openShared } from "./kernel/native.ts";
export type {
  Address,
  BroadcastReceipt,
  CallOptions,
  ChannelMetrics,
  DrainedOptions,
  LeaveOptions,
  NodeEvents,
  NodeMetrics,
  ReadyOptions,
  SendOptions,
} from "./kernel/node-types.ts";
export type { AttachOptions } from "./kernel/opened-node.ts";
export type { ChannelOptions, FoundationOptions } from "./kernel/options.ts";
export { CHANNEL_DEFAULTS, FOUNDATION_DEFAULTS } from "./kernel/options.ts";
export type { Secret } from "./kernel/secrets.ts";
export { release, toOwned } from "./kernel/slabs.ts";
export { FlatTable } from "./kernel/values.ts";
export type { ResetOptions, SubscribeOptions } from "./services/config/config.ts";
export { DEFAULT_CONFIG } from "./services/config/config-defaults.ts";
export type { FallbackStats } from "./services/config/config-fallback.ts";
export { ConfigFallback } from "./services/config/config-fallback.ts";
export type { ConfigChange, ConfigDiff } from "./services/config/config-logic.ts";
export type { ConfigOptions } from "./services/config/config-options.ts";
export type {
  AiConfig,
  CaptureConfig,
  ConfigNotification,
  ConfigStatus,
  DevConfig,
  FoundationConfig,
  InfrastructureConfig,
  InterfaceConfig,
  PartialConfig,
  PathValue,
  StorageConfig,
} from "./services/config/config-types.ts";
export type { StandardSchema } from "./services/config/standard-schema.ts";
export type { ConfigMessage, ConfigSubscriber } from "./services/config/subscribers.ts";
export type { ErrorSummary } from "./services/errors/aggregation.ts";
export type { ErrorContexts } from "./services/errors/error-contexts.ts";
export type { ErrorHierarchy } from "./services/errors/errors.ts";
export { Errors } from "./services/errors/errors.ts";
export type { ErrorRecord } from "./services/errors/json.ts";
export type {
  Breadcrumb,
  OperationContext,
  OperationContextOptions,
} from "./services/errors/operation-context.ts";
export { BREADCRUMBS_MAX } from "./services/errors/operation-context.ts";
export type { ErrorOptions } from "./services/errors/wrapping.ts";
export type { SerializeOptions } from "./services/events/event-codec.ts";
export {
  decodeEvent,
  encodeEvent,
  SERIALIZE_DEFAULTS,
  serializeEvent,
} from "./services/events/event-codec.ts";
export type {
  EventLog,
  EventLogQuery,
  EventLogStats,
  LoggedEvent,
} from "./services/events/event-log.ts";
export type { EventFields, EventOptions, FoundationEvent } from "./services/events/event-types.ts";
export {
  EVENT_BYTES_MAX,
  EVENT_DATA_BYTES_MAX,
  EVENT_TEXT_MAX,
} from "./services/events/event-types.ts";
export { EVENT_TYPES, validateEventType } from "./services/events/event-validator.ts";
export type { ServiceHealth, ServicesHealth } from "./services/health.ts";
export type { BreakerCounts, BreakerStatus } from "./services/infrastructure/breaker/breaker.ts";
export type {
  BreakerOptions,
  BreakerOutcome,
  CallResult,
  ProbeOptions,
} from "./services/infrastructure/breaker/breaker-options.ts";
export {
  BREAKER_DEFAULTS,
  PROBE_DEFAULTS,
} from "./services/infrastructure/breaker/breaker-options.ts";
export type {
  BreakerReport,
  CircuitBreakers,
} from "./services/infrastructure/breaker/circuit-breakers.ts";
export { originalStatus } from "./services/infrastructure/breaker/circuit-breakers.ts";
export type { ConfigReader } from "./services/infrastructure/config-limits.ts";
export type {
  CircuitBreakerConfig,
  InfrastructureStatus,
  ProtectionStatus,
} from "./services/infrastructure/infrastructure.ts";
export type {
  InfrastructureOperation,
  InfrastructureOptions,
} from "./services/infrastructure/infrastructure-core.ts";
export { InfrastructureCore } from "./services/infrastructure/infrastructure-core.ts";
export type {
  RateKey,
  RateLimiter,
  RateStatus,
} from "./services/infrastructure/limits/rate-limiter.ts";
export type { RateAlgorithm, RateRuleOptions } from "./services/infrastructure/limits/rate-rule.ts";
export { RATE_DEFAULTS } from "./services/infrastructure/limits/rate-rule.ts";
export type {
  RedisLimitsOptions,
  SharedLimits,
  WhenUnavailable,
} from "./services/infrastructure/limits/shared-limits.ts";
export {
  REDIS_LIMITS_DEFAULTS,
  redisLimits,
} from "./services/infrastructure/limits/shared-limits.ts";
export type {
  CheckoutOptions,
  ConnectionManager,
  HeldWorker,
  StopPoolOptions,
} from "./services/infrastructure/pools/connections.ts";
export {
  CHECKOUT_DEFAULTS,
  STOP_POOL_DEFAULTS,
} from "./services/infrastructure/pools/connections.ts";
export type {
  HttpHeaders,
  HttpWorkerOptions,
} from "./services/infrastructure/pools/http-options.ts";
export { HTTP_WORKER_DEFAULTS } from "./services/infrastructure/pools/http-options.ts";
export type {
  HttpRequestOptions,
  HttpResponse,
  HttpWorkerStatus,
} from "./services/infrastructure/pools/http-worker.ts";
export { HttpWorker } from "./services/infrastructure/pools/http-worker.ts";
export type { PoolStatus } from "./services/infrastructure/pools/pool.ts";
export type { PoolOptions, PoolStrategy } from "./services/infrastructure/pools/pool-options.ts";
export { POOL_DEFAULTS } from "./services/infrastructure/pools/pool-options.ts";
export type {
  PoolWorker,
  WorkerClass,
  WorkerModule,
  WorkerSource,
} from "./services/infrastructure/pools/workers.ts";
export { processWorkers } from "./services/infrastructure/pools/workers.ts";
export type {
  BulkheadOptions,
  CallRateOptions,
  ProtectedCallOptions,
} from "./services/infrastructure/protection/call-options.ts";
export { BULKHEAD_DEFAULTS } from "./services/infrastructure/protection/call-options.ts";
export type { CallContext } from "./services/infrastructure/protection/protected-calls.ts";
export type { Protection } from "./services/infrastructure/protection/protections.ts";
export type {
  BackoffDelayOptions,
  Jitter,
  Random,
} from "./services/infrastructure/resilience/backoff.ts";
export {
  BACKOFF_DELAY_DEFAULTS,
  backoffMs,
  planBackoff,
} from "./services/infrastructure/resilience/backoff.ts";
export { BackoffWindow } from "./services/infrastructure/resilience/backoff-window.ts";
export type { DispatchOptions } from "./services/infrastructure/resilience/dispatch.ts";
export { DISPATCH_DEFAULTS, Dispatch } from "./services/infrastructure/resilience/dispatch.ts";
export type {
  AnsweredRequest,
  HttpRetryOptions,
  RetryStatus,
} from "./services/infrastructure/resilience/http-retry.ts";
export {
  HTTP_RETRY_DEFAULTS,
  httpRetry,
  httpRetryDelayMs,
  isWorthRetrying,
  retryAfterMs,
} from "./services/infrastructure/resilience/http-retry.ts";
export type { PollOptions, PollStep } from "./services/infrastructure/resilience/poller.ts";
export { POLL_DEFAULTS, poll } from "./services/infrastructure/resilience/poller.ts";
export type {
  RetryAttempt,
  RetryOptions,
  RetryRunOptions,
} from "./services/infrastructure/resilience/retry.ts";
export {
  ENDLESS_RETRY,
  RETRY_DEFAULTS,
  retry,
} from "./services/infrastructure/resilience/retry.ts";
export type { Release } from "./services/infrastructure/resilience/semaphores.ts";
export {
  CountingSemaphore,
  Limiter,
  WeightedSemaphore,
} from "./services/infrastructure/resilience/semaphores.ts";
export type { LineOptions } from "./services/infrastructure/resilience/waiting-line.ts";
export type { NamespaceServices } from "./services/instances/namespace-services.ts";
export type {
  ConfigServerOptions,
  NamespaceOptions,
  TelemetryServiceOptions,
} from "./services/instances/service-children.ts";
export type { HealthCheck, HealthCheckOptions } from "./services/registries/health-check.ts";
export { HEALTH_CHECK_DEFAULTS } from "./services/registries/health-check.ts";
export type { Cleanup, CleanupOptions } from "./services/registries/process-registry.ts";
export { CLEANUP_DEFAULTS } from "./services/registries/process-registry.ts";
export type {
  RegisterOptions,
  RegistryEntry,
  RegistryOp,
  RegistryOptions,
  RegistryStats,
} from "./services/registries/registry-types.ts";
export { REGISTRY_DEFAULTS } from "./services/registries/registry-types.ts";
export type {
  NamespaceInfo,
  ServiceInfo,
  ServiceRegistrySinks,
  WaitForServiceOptions,
} from "./services/registries/service-registry.ts";
export { SERVICE_WAIT_DEFAULTS } from "./services/registries/service-registry.ts";
export type { ServiceOptions } from "./services/services.ts";
export type {
  LogLevel,
  LogSink,
  Measurements,
  Metadata,
  TelemetryName,
  TelemetrySink,
} from "./services/sinks.ts";
export { NO_LOG, NO_TELEMETRY } from "./services/sinks.ts";
export type { CollectOptions, MetricScope } from "./services/telemetry/collect-options.ts";
export { COLLECT_DEFAULTS } from "./services/telemetry/collect-options.ts";
export type { MetricDescription } from "./services/telemetry/descriptions.ts";
export { METRIC_DESCRIPTION_DEFAULTS } from "./services/telemetry/descriptions.ts";
export type {
  MetricsCloseOptions,
  MetricsServer,
} from "./services/telemetry/exporters/metrics-server.ts";
export type {
  ExpositionFormat,
  PrometheusOptions,
  PrometheusRegistry,
} from "./services/telemetry/exporters/prometheus-options.ts";
export { PROMETHEUS_DEFAULTS } from "./services/telemetry/exporters/prometheus-options.ts";
export type { MetricsServerOptions } from "./services/telemetry/exporters/server-options.ts";
export { METRICS_SERVER_DEFAULTS } from "./services/telemetry/exporters/server-options.ts";
export type { MissingIsolate } from "./services/telemetry/node-metrics.ts";
export type {
  NodeMetric,
  NodeMetricsOptions,
  NodeTelemetry,
} from "./services/telemetry/node-telemetry.ts";
export type { MetricLabels } from "./services/telemetry/series.ts";
export type { Distribution, SketchData } from "./services/telemetry/sketch.ts";
export { Sketch } from "./services/telemetry/sketch.ts";
export type { TelemetryOptions } from "./services/telemetry/telemetry-options.ts";
export { TELEMETRY_DEFAULTS } from "./services/telemetry/telemetry-options.ts";
export type {
  LabelledMetric,
  Metric,
  MetricTree,
  TelemetryHandler,
  TelemetryStatus,
} from "./services/telemetry/telemetry-types.ts";
export type { Measured, MeasuredMemory } from "./services/toolkit/measures.ts";
export type { PlainObject } from "./services/toolkit/nested.ts";
export type { UtilsRetryOptions } from "./services/toolkit/retry.ts";
export { UTILS_RETRY_DEFAULTS } from "./services/toolkit/retry.ts";
export type { Truncated } from "./services/toolkit/sizes.ts";
export { Utils } from "./services/toolkit/toolkit.ts";
