/** Trace: what the runtime did, step by step. Plain data, and nothing in it that differs between two runs of one seed. */
import type { Address, ExitReason, Message, Name, Pid } from '../process.ts';

/** What happened: a start, a message sent or delivered, a transition, an end, a restart. */
export type TraceRecord =
  | { readonly type: 'spawn'; readonly process: Pid; readonly parent: Address; readonly name?: Name }
  | { readonly type: 'send'; readonly from: Address; readonly to: Pid; readonly message: Message }
  | { readonly type: 'deliver'; readonly from: Address; readonly to: Pid; readonly message: Message }
  | { readonly type: 'hibernate' | 'wake'; readonly process: Pid }
  | { readonly type: 'drop'; readonly from: Address; readonly to: Pid; readonly message: Message }
  | TransitionRecord
  | { readonly type: 'exit'; readonly process: Pid; readonly reason: ExitReason }
  | { readonly type: 'restart'; readonly supervisor: Pid; readonly id: string; readonly process: Pid };

/** A machine has handled an event. */
export interface TransitionRecord {
  /** Tells it from other records. */
  readonly type: 'transition';
  /** Whose machine. */
  readonly process: Pid;
  /** Its id. */
  readonly machine: string;
  /** The type of the event. */
  readonly event: string;
  /** The state value before; left out for the first state of a process. */
  readonly from?: unknown;
  /** The state value behind it. */
  readonly state: unknown;
}

/** Starts, ends and restarts: few records, however many messages there are. */
export type LifecycleRecord = Extract<TraceRecord, { type: 'spawn' | 'exit' | 'restart' }>;

/** A record as it is told: numbered from 1 for each listener, with the runtime's clock. */
export type NumberedRecord = TraceRecord & { readonly n: number; readonly atMs: number };

/** One line of NDJSON, without the line's end. Stacks are left out: they name files of the machine it ran on. */
export function toTraceLine(record: NumberedRecord): string {
  return JSON.stringify(record, (key, value: unknown) => (key === 'stack' ? undefined : value));
}
