/** The public API of foundation-runtime. What is not exported here is internal. */

export * from "./beam/index.ts";
export type { Discovery, DiscoveryTools } from "./distributed/discovery/discovery.ts";
export {
  DISCOVERY_DEFAULTS,
  type DiscoveryOptions,
  type DiscoverySource,
  type HookAnswer,
  type NamedProvider,
} from "./distributed/discovery/discovery-options.ts";
export type {
  CandidateState,
  CandidateStatus,
  DiscoveryEvents,
  DiscoveryFailure,
  DiscoveryStatus,
  DiscoveryStep,
  ReconnectFigures,
  SourceState,
  SourceStatus,
} from "./distributed/discovery/discovery-types.ts";
export type { EntryOptions } from "./distributed/discovery/entries.ts";
export { FILE_DEFAULTS, type FollowOptions } from "./distributed/discovery/followed-file.ts";
export type { TlsFiles } from "./distributed/discovery/http-source.ts";
export type {
  Candidate,
  CandidateSet,
  DiscoveringNode,
  DiscoveryProvider,
  ProviderContext,
  ProviderNote,
} from "./distributed/discovery/provider.ts";
export {
  CONSUL_DEFAULTS,
  type ConsulOptions,
} from "./distributed/discovery/providers/consul/consul-options.ts";
export {
  CUSTOM_DEFAULTS,
  type CustomAnswer,
  type CustomOptions,
} from "./distributed/discovery/providers/custom.ts";
export {
  DNS_DEFAULTS,
  type DnsOptions,
} from "./distributed/discovery/providers/dns/dns-options.ts";
export type { KubernetesNameOptions } from "./distributed/discovery/providers/dns/service-name.ts";
export {
  ENVIRONMENT_DEFAULTS,
  type EnvironmentOptions,
} from "./distributed/discovery/providers/environment.ts";
export {
  ETCD_DEFAULTS,
  type EtcdOptions,
} from "./distributed/discovery/providers/etcd/etcd-options.ts";
export type { FileOptions } from "./distributed/discovery/providers/file.ts";
export type { StaticOptions } from "./distributed/discovery/providers/fixed.ts";
export {
  GOSSIP_DEFAULTS,
  type GossipOptions,
} from "./distributed/discovery/providers/gossip/gossip-options.ts";
export type { HostsFileOptions } from "./distributed/discovery/providers/hosts-file/hosts-file.ts";
export {
  KUBERNETES_DEFAULTS,
  type KubernetesMode,
  type KubernetesOptions,
  type KubernetesSource,
} from "./distributed/discovery/providers/kubernetes/options.ts";
export {
  LOCAL_DEFAULTS,
  type LocalOptions,
} from "./distributed/discovery/providers/local/local.ts";
export { MDNS_DEFAULTS, type MdnsOptions } from "./distributed/discovery/providers/mdns/mdns.ts";
export { Providers } from "./distributed/discovery/providers.ts";
export type { PrunePolicy } from "./distributed/discovery/rules/pruning.ts";
export type { ScreenReason } from "./distributed/discovery/rules/screening.ts";
export { Distributed, type DistributedNode } from "./distributed/distributed.ts";
export type { Topology as NodeTopology } from "./distributed/topology/topology.ts";
export type { TopologyChildOptions, WantedOverlay } from "./distributed/topology/topology-child.ts";
export {
  type SwitchTopologyOptions,
  TOPOLOGY_POLICY_DEFAULTS,
  type TopologyOptions,
  type TopologyPolicyOptions,
  type WorkloadOptions,
} from "./distributed/topology/topology-options.ts";
export type {
  ChannelRate,
  CurrentTopology,
  RoundTrips,
  TopologyAnalysis,
  TopologyDecision,
  TopologyEvents,
  TopologyInputs,
  TopologyOverlay,
  TopologyProposal,
  TopologyRecord,
  TopologyRule,
  TopologySwitch,
  TopologyTarget,
  Workload,
  WorkloadAdvice,
} from "./distributed/topology/topology-types.ts";
export type {
  FoundationHealth,
  FoundationStatus,
  FoundationVersions,
} from "./foundation/health.ts";
export {
  Config,
  ErrorContext,
  Events,
  Infrastructure,
  ProcessRegistry,
  ServiceRegistry,
  Services,
  Telemetry,
} from "./foundation/module-style.ts";
export type { FoundationStartOptions } from "./foundation.ts";
export { Foundation, FoundationNode } from "./foundation.ts";
export type { CaptureRingPlan } from "./kernel/capture-ring.ts";
export type { Capture } from "./services/capture/capture.ts";
export type { BatchListener } from "./services/capture/capture-core.ts";
export type {
  CapturedEvent,
  CaptureOptions,
  CaptureProcessing,
  CaptureStats,
  RecordOptions,
  RecordWaitOptions,
} from "./services/capture/capture-types.ts";
export { CAPTURE_DEFAULTS } from "./services/capture/capture-types.ts";
export type { TraceOptions } from "./services/capture/tracing.ts";
export type { ResetOptions, SubscribeOptions } from "./services/config/config.ts";
export { DEFAULT_CONFIG } from "./services/config/config-defaults.ts";
export type { FallbackStats } from "./services/config/config-fallback.ts";
export { ConfigFallback } from "./services/config/config-fallback.ts";
export type { ConfigChange, ConfigDiff } from "./services/config/config-logic.ts";
export type { ConfigOptions } from "./services/config/config-options.ts";
export { ConfigLogic, ConfigValidator } from "./services/config/config-tools.ts";
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
  EventFallbackOptions,
  EventFallbackStats,
  SafeEvents,
  SafeReceipt,
} from "./services/events/event-fallback.ts";
export { EVENT_FALLBACK_DEFAULTS, EventFallback } from "./services/events/event-fallback.ts";
export type {
  EventLog,
  EventLogQuery,
  EventLogStats,
  LoggedEvent,
} from "./services/events/event-log.ts";
export type {
  FunctionEntry,
  FunctionEntryOptions,
  FunctionExit,
  StateChange,
  StateChangeOptions,
} from "./services/events/event-logic.ts";
export {
  emptyEvent,
  extractCorrelationChain,
  filterByTimeRange,
  groupByCorrelation,
  transformEventData,
} from "./services/events/event-logic.ts";
export type {
  EventStoreLimits,
  EventStoreOptions,
} from "./services/events/event-service-options.ts";
export { EVENT_STORE_DEFAULTS } from "./services/events/event-service-options.ts";
export type {
  EventFilter,
  EventListener,
  EventMessage,
  EventSubscriber,
} from "./services/events/event-subscriptions.ts";
export type {
  EventOptions,
  EventStats,
  EventStatus,
  FoundationEvent,
} from "./services/events/event-types.ts";
export {
  EVENT_BYTES_MAX,
  EVENT_DATA_BYTES_MAX,
  EVENT_TEXT_MAX,
} from "./services/events/event-types.ts";
export {
  checkEventFields,
  EVENT_TYPES,
  validateEventType,
} from "./services/events/event-validator.ts";
export type { EventOrAttempt } from "./services/events/events.ts";
export type { EventOrder, EventQuery, TimeRange } from "./services/events/hot/event-query.ts";
export type { NodeWarmOptions } from "./services/events/warm/configured-store.ts";
export type {
  WarmCompression,
  WarmDurability,
  WarmStoreOptions,
} from "./services/events/warm/warm-options.ts";
export { WARM_STORE_DEFAULTS } from "./services/events/warm/warm-options.ts";
export type { WarmStoreStats } from "./services/events/warm/warm-store.ts";
export { WarmStore } from "./services/events/warm/warm-store.ts";
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
  EventStoreServiceOptions,
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
  OpenTelemetryApi,
  OpenTelemetryOptions,
} from "./services/telemetry/exporters/open-telemetry-options.ts";
export { OPEN_TELEMETRY_DEFAULTS } from "./services/telemetry/exporters/open-telemetry-options.ts";
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
