/** Local: the state of one process, as far as it is its own affair. */
import type { AnyMachineSnapshot } from 'xstate';
import type { ExitReason, Message, Pid, Table } from '../../../src/otp/process.ts';

export interface Alive {
  readonly status: 'alive';
  readonly pid: Pid;
  readonly snapshot: AnyMachineSnapshot;
  readonly tables: Readonly<Record<string, Table>>;
  /** Delivered before anything that comes from others. */
  readonly urgent: readonly Message[];
  readonly postponed: readonly Message[];
  /** What each time-out will say. */
  readonly timers: Readonly<Record<string, unknown>>;
}

export interface Dead {
  readonly status: 'dead';
  readonly pid: Pid;
  readonly reason: ExitReason;
  /** Its machine came to an end, and was not ended from outside. */
  readonly saidByMachine: boolean;
}

export interface Absent {
  readonly status: 'absent';
}

export interface Unborn {
  readonly status: 'unborn';
  readonly pid: Pid;
}

export type Local = Absent | Unborn | Alive | Dead;

/** Reaches the world of a step; whoever calls it may change it. */
export type Reach<Kind> = () => Kind;
