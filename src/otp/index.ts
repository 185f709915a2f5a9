/** `armature/otp`: OTP's processes and supervisors over xstate machines. The only barrel: a package needs one door. */
export type { Clock, TimerId } from '../base/clock.ts';
export type { ChildRequest, Refusal, StartChild } from './child-requests.ts';
export type { ChildStatus, ListedChild } from './child-row.ts';
export type { ChildSpec, DynamicChildSpec, DynamicSupervisorSpec, Restart, Shutdown, SupervisorSpec } from './child-spec.ts';
export { checkChildSpecs, InvalidSpecError, type SpecFault, type SpecFaultCode } from './child-spec-faults.ts';
export { choosingScheduler, randomScheduler, replayScheduler, type Candidate, type ChoosingScheduler, type UnderWay } from './choosing-scheduler.ts';
export { dynamicSupervisor } from './dynamic-supervisor.ts';
export { effects, type EffectParams, type Effects } from './effects.ts';
export { describeReason } from './error-report.ts';
export { MailboxOverflowError } from './kernel.ts';
export { InvalidExitReasonError, UnhandledEventError } from './machine-process.ts';
export { StartError } from './outside.ts';
export { PartitionStartError, partitionOf, partitionSupervisor, resizePartitions, type PartitionSupervisorSpec } from './partition-supervisor.ts';
export { pctScheduler, type PctOptions } from './pct-scheduler.ts';
export { UnknownRequestError } from './port-process.ts';
export type { ProcessInfo } from './process-info.ts';
export { isExitReason, isFault, isPortSpec } from './process.ts';
export type {
  Address, CallFailed, Down, ErrorReport, Exit, ExitReason, MachineSpec, Message, Name, Pid, PortContext, PortHandle, PortSpec,
  ProcessSpec, RecipientsTable, ReplyTo, Table,
} from './process.ts';
export { productionScheduler } from './production-scheduler.ts';
export { CallError, createRuntime, type Runtime, type RuntimeOptions } from './runtime.ts';
export type { Scheduler } from './scheduler.ts';
export { via, type Registration } from './registry.ts';
export { supervisor } from './supervisor.ts';
export { task } from './task.ts';
export { toTraceLine, type LifecycleRecord, type NumberedRecord, type TraceRecord } from './trace.ts';
export type { ProcessTree } from './tree.ts';
