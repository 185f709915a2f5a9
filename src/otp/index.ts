/** `armature/otp`: OTP's processes and supervisors over xstate machines. The only barrel: a package needs one door. */
export type { Clock, TimerId } from '../base/clock.ts';
export { Copies, Fork, uncopied, type Forkable } from '../base/fork.ts';
export type { ChildRequest, RequestRefusal, StartChild } from './supervision/child-requests.ts';
export type { ChildStatus, ListedChild } from './supervision/child-row.ts';
export type { ChildSpec, DynamicChildSpec, DynamicSupervisorSpec, Restart, Shutdown, SupervisorSpec } from './supervision/child-spec.ts';
export { checkChildSpecs, InvalidSpecError, type SpecFault, type SpecFaultCode } from './supervision/child-spec-faults.ts';
export {
  choosingScheduler, randomScheduler, replayScheduler, type Candidate, type ChoosingScheduler, type UnderWay,
} from './schedulers/choosing-scheduler.ts';
export { dynamicSupervisor } from './supervision/dynamic-supervisor.ts';
export { effects, type EffectParams, type Effects } from './effects.ts';
export type { AsyncRequest } from './kernel/starts.ts';
export type { DemonitorRequest } from './kernel/monitors.ts';
export type { MulticallRequest } from './kernel/multicall.ts';
export type { SpawnRequest, StartRequest, Until } from './kernel/entry.ts';
export type { TimerRequest } from './kernel/process-timers.ts';
export { describeReason } from './kernel/error-report.ts';
export { MailboxOverflowError } from './kernel/kernel.ts';
export { InvalidExitReasonError, UnhandledEventError } from './kernel/machine-process.ts';
export { StartError } from './kernel/outside.ts';
export {
  PartitionStartError, partitionOf, partitionSupervisor, resizePartitions, type Caller, type PartitionSupervisorSpec,
} from './supervision/partition-supervisor.ts';
export { pctScheduler, type PctOptions } from './schedulers/pct-scheduler.ts';
export { UnknownRequestError } from './kernel/port-process.ts';
export type { ProcessInfo } from './kernel/process-info.ts';
export type { ProcessEnd, ProcessSummary } from './kernel/process-summary.ts';
export type { Standing } from './kernel/standing.ts';
export { isExitReason, isFault, isPortSpec } from './process.ts';
export type {
  Address, CallFailed, Down, ErrorReport, Exit, ExitReason, MachineSpec, Message, Name, Pid, PortContext, PortHandle, PortSpec,
  ProcessSpec, RecipientsTable, ReplyTo, Table,
} from './process.ts';
export { productionScheduler } from './schedulers/production-scheduler.ts';
export { CallError, createRuntime, type Runtime, type RuntimeOptions } from './runtime.ts';
export type { Scheduler } from './schedulers/scheduler.ts';
export { via, type Registration } from './kernel/registry.ts';
export type { ChildFate } from './supervision/supervision-table.ts';
export { supervisor } from './supervision/supervisor.ts';
export { task } from './task.ts';
export { toTraceLine, type LifecycleRecord, type NumberedRecord, type TraceRecord, type TransitionRecord } from './kernel/trace.ts';
export type { ProcessTree } from './tree.ts';
