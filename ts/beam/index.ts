/**
 * `foundation-runtime/beam`: nodes, processes and messages without the services, for modules that
 * have to be loaded fast. All of it is part of the public list of the package as well.
 */

export type { CancelTimer, Clock } from "../base/clock.ts";
export { SYSTEM_CLOCK } from "../base/clock.ts";
export type { ErrorCategory, ErrorClass, RetryStrategy, Severity } from "../base/error-class.ts";
export type { ErrorCode } from "../base/error-codes.ts";
export { ERROR_CODES, errorClassOf, isErrorCode } from "../base/error-codes.ts";
export type { Attempt, ErrorFacts, FoundationErrorOptions } from "../base/errors.ts";
export { attempt, FoundationError } from "../base/errors.ts";
export type { HybridClockOptions, HybridTime } from "../base/hybrid-clock.ts";
export {
  compareHybridTimes,
  HYBRID_CLOCK_DEFAULTS,
  HYBRID_COUNTER_MAX,
  HybridClock,
  isHybridTime,
} from "../base/hybrid-clock.ts";
export type { IoPart } from "../base/io-list.ts";
export { IoList, ioList } from "../base/io-list.ts";
export { ManualClock } from "../base/manual-clock.ts";
export { comparePids, Pid, parsePid } from "../base/pid.ts";
export type { Unsubscribe } from "../base/typed-events.ts";
export type { CutDirection, CutOptions, NodeCut, NodeFaults } from "../kernel/faults.ts";
export type { HandleOptions, MessageContext } from "../kernel/handlers.ts";
export type { InterruptOptions, IsolateHeap, NodeIsolate } from "../kernel/interrupts.ts";
export type { NodeKeys } from "../kernel/keys.ts";
export type { DownEvent, Member } from "../kernel/members.ts";
export type { Capabilities } from "../kernel/native.ts";
export { allocateShared, capabilities, openShared } from "../kernel/native.ts";
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
} from "../kernel/node-types.ts";
export type { AttachOptions } from "../kernel/opened-node.ts";
export type { ChannelOptions, FoundationOptions } from "../kernel/options.ts";
export { CHANNEL_DEFAULTS, FOUNDATION_DEFAULTS } from "../kernel/options.ts";
export type {
  OverlayCommands,
  OverlayPeer,
  OverlaySnapshot,
  RosterMember,
  SwitchEvent,
  SwitchOutcome,
  TopologySnapshot,
} from "../kernel/overlay-commands.ts";
export type {
  ClientServerOptions,
  FullMeshOptions,
  HyParViewOptions,
  OverlayOptions,
  OverlayStrategy,
  StaticOptions,
} from "../kernel/overlay-options.ts";
export { OVERLAY_DEFAULTS } from "../kernel/overlay-options.ts";
export type { Secret } from "../kernel/secrets.ts";
export { release, toOwned } from "../kernel/slabs.ts";
export { FlatTable } from "../kernel/values.ts";
export { Agent } from "./agents.ts";
export type { Beam } from "./beam.ts";
export type { ChildOptions, RestartType } from "./child-spec.ts";
export { CHILD_DEFAULTS } from "./child-spec.ts";
export { dynamicSupervisor } from "./dynamic-supervisor.ts";
export type {
  ChoiceFailure,
  ChooseRequest,
  ChooseWorker,
  DispatchRule,
  EcosystemCoordinator,
  EcosystemCoordinatorOptions,
  FreeWorker,
  OfferedWork,
} from "./ecosystems/coordinator-types.ts";
export { ECOSYSTEM_COORDINATOR_DEFAULTS } from "./ecosystems/coordinator-types.ts";
export type {
  ChoosePlace,
  EcosystemDistribution,
  EcosystemDistributionOptions,
  PlaceCandidate,
  Placement,
} from "./ecosystems/distribution-types.ts";
export { ECOSYSTEM_DISTRIBUTION_DEFAULTS } from "./ecosystems/distribution-types.ts";
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
} from "./ecosystems/ecosystem-types.ts";
export {
  ECOSYSTEM_SHUTDOWN_DEFAULTS,
  ECOSYSTEM_WORKER_DEFAULTS,
} from "./ecosystems/ecosystem-types.ts";
export type { Ecosystems } from "./ecosystems/ecosystems.ts";
export type {
  GcStrategy,
  MemoryStrategy,
  RecycleOptions,
  SharingCounts,
} from "./ecosystems/memory-types.ts";
export type {
  EcosystemScaling,
  EcosystemScalingOptions,
  ScalingDecision,
  ScalingFigures,
  ScalingVerdict,
} from "./ecosystems/scaling-types.ts";
export { ECOSYSTEM_SCALING_DEFAULTS } from "./ecosystems/scaling-types.ts";
export type { Beside, Neighbours, Topology } from "./ecosystems/topology.ts";
export { isNeighbours } from "./ecosystems/topology.ts";
export type { Delivery, From } from "./envelope.ts";
export { NO_REPLY } from "./envelope.ts";
export type { EventHandler } from "./event-manager.ts";
export { EventManager } from "./event-manager.ts";
export type { Factory, SpawnOnOptions } from "./factories.ts";
export type { GenServerClass } from "./gen-server.ts";
export { GenServer } from "./gen-server.ts";
export type { HeavyBlueprint, HeavyOptions } from "./heavy.ts";
export { HEAVY_DEFAULTS, heavy } from "./heavy.ts";
export type { HeavyPoolCounts, HeavyPoolOptions } from "./heavy-pool.ts";
export { HEAVY_POOL_DEFAULTS } from "./heavy-pool.ts";
export type { LimitExceeded } from "./limits.ts";
export type { MailboxOptions, MailboxPolicy } from "./mailbox.ts";
export { MAILBOX_DEFAULTS } from "./mailbox.ts";
export type { AnalysisOptions, MemoryAnalysis } from "./memory/analysis-types.ts";
export { ANALYSIS_DEFAULTS } from "./memory/analysis-types.ts";
export type { AtomCounts, AtomEviction, AtomId, AtomOptions } from "./memory/atoms.ts";
export { ATOM_DEFAULTS, AtomTable } from "./memory/atoms.ts";
export type { BinaryOptions, BinaryStrategy, OptimizedBinary } from "./memory/binaries.ts";
export { BINARY_DEFAULTS } from "./memory/binaries.ts";
export type { CgroupMemory } from "./memory/cgroup.ts";
export type { LabelCounts, LabelOptions, LabelOverflow, Labels } from "./memory/labels.ts";
export { LABEL_DEFAULTS, LabelGuard } from "./memory/labels.ts";
export type { Memory } from "./memory/memory.ts";
export type { PressureAction, PressureEvent, PressureLevel } from "./memory/pressure.ts";
export type { Recommendation } from "./memory/recommendations.ts";
export { SharedBinaries } from "./memory/shared-binaries.ts";
export type {
  PutOptions,
  SharedBinariesCounts,
  SharedBinariesEvents,
  SharedBinariesOptions,
} from "./memory/shared-binaries-types.ts";
export { PUT_DEFAULTS, SHARED_BINARIES_DEFAULTS } from "./memory/shared-binaries-types.ts";
export type { BinaryTicket, SharedBinary } from "./memory/shared-binary.ts";
export { openSharedBinary } from "./memory/shared-binary.ts";
export type {
  BackpressureCounts,
  BackpressureOptions,
  BackpressureOutcome,
  BackpressureReceipt,
  WhenFull,
} from "./messages/backpressure.ts";
export { BACKPRESSURE_DEFAULTS } from "./messages/backpressure.ts";
export type {
  BroadcastOptions,
  BroadcastRefusal,
  BroadcastReport,
} from "./messages/broadcast.ts";
export type { ChannelChoice } from "./messages/channels.ts";
export type { Messages } from "./messages/messages.ts";
export type {
  FlowControl,
  OptimizedSendOptions,
  SendReceipt,
  SendStrategy,
} from "./messages/optimized-types.ts";
export { OPTIMIZED_SEND_DEFAULTS } from "./messages/optimized-types.ts";
export type { ExpectedCopies, MessageSize } from "./messages/size.ts";
export type { BeamNodeOptions } from "./nodes.ts";
export { BeamNode, Nodes } from "./nodes.ts";
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
} from "./process-types.ts";
export { PROCESS_CALL_DEFAULTS } from "./process-types.ts";
export type { MailboxGauges, ProcessEvents, Processes, ProcessGauges } from "./processes.ts";
export type { IntensityOptions } from "./restart-intensity.ts";
export { INTENSITY_DEFAULTS } from "./restart-intensity.ts";
export type { CrashReport, ProcessCounts } from "./runtime.ts";
export type { CpuOptions } from "./schedulers/cpu-intensive.ts";
export { CPU_DEFAULTS } from "./schedulers/cpu-intensive.ts";
export type { LoopDelay, LoopMonitor } from "./schedulers/loop-delay.ts";
export type { SchedulerInfo } from "./schedulers/pool.ts";
export type { SchedulerOptions, WorkOptions } from "./schedulers/scheduler-options.ts";
export { SCHEDULER_DEFAULTS, WORK_DEFAULTS } from "./schedulers/scheduler-options.ts";
export type { Schedulers } from "./schedulers/schedulers.ts";
export type { Down, Exit, ExitReason, MonitorRef, Shutdown } from "./signals.ts";
export { isDown, isExit } from "./signals.ts";
export type { Blueprint, Startable, StartOptions } from "./startable.ts";
export type { StateHandlers, StateMachineClass } from "./state-machine.ts";
export { StateMachine } from "./state-machine.ts";
export { supervisor } from "./supervisor.ts";
export type {
  BackoffOptions,
  ChildCounts,
  ChildInfo,
  DynamicSupervisionOptions,
  DynamicSupervisorOptions,
  Strategy,
  SupervisionOptions,
  SupervisorOptions,
} from "./supervisor-types.ts";
export { BACKOFF_DEFAULTS, SUPERVISOR_DEFAULTS } from "./supervisor-types.ts";
export type { Supervisors } from "./supervisors.ts";
export type { Task, TaskOptions, Tasks } from "./tasks.ts";
export type { TimerRef } from "./timers.ts";
export type { ProcessTracer, TracedProcess } from "./tracer.ts";
export type { StallReport, WatchOptions } from "./watchdog.ts";
