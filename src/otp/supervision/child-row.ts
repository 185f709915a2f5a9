/** ChildRow: what a supervisor of either kind knows of one child, and the defaults of its specification. */
import { InvariantError } from '../../base/invariant.ts';
import type { ChildSpec, DynamicChildSpec, Shutdown } from './child-spec.ts';
import { isFault, type Address, type ExitReason, type Pid } from '../process.ts';

export const SHUTDOWN_MS = 5_000;

/** Where a child stands. */
export type ChildStatus =
  | 'down' // Not running, and nobody is about to change that.
  | 'starting' // Spawned, not yet acknowledged.
  | 'up'
  | 'stopping' // Told to stop.
  | 'restarting'; // Its restart failed; it will be tried again.

export interface ChildRow {
  readonly id: string;
  /** Place in the order of start. */
  readonly order: number;
  spec: DynamicChildSpec;
  status: ChildStatus;
  pid: Pid | undefined;
  /** While `restarting`: the process that did not come up. The next try names it, so a try that is out of date is known. */
  failedPid: Address | undefined;
  /** How often it has been spawned. */
  spawned: number;
  isSupervisor: boolean;
}

/** A child as a supervisor lists it. */
export interface ListedChild {
  /** Of its specification. */
  readonly id: string;
  /** Undefined while it does not run. */
  readonly pid: Pid | undefined;
  /** Where it stands. */
  readonly status: ChildStatus;
  /** What it is counted as. */
  readonly type: 'worker' | 'supervisor';
}

export function newRow(id: string, order: number, spec: DynamicChildSpec): ChildRow {
  return { id, order, spec, status: 'down', pid: undefined, failedPid: undefined, spawned: 0, isSupervisor: spec.type === 'supervisor' };
}

export function listed({ id, pid, status, isSupervisor }: ChildRow): ListedChild {
  return { id, pid, status, type: isSupervisor ? 'supervisor' : 'worker' };
}

/** A child's specification with every default said; without the function that starts it. */
export function describeSpec(row: ChildRow): Required<Omit<ChildSpec, 'start'>> {
  const { id, isSupervisor, spec: { restart = 'permanent', significant = false } } = row;
  return { id, restart, shutdown: limitOf(row), significant, type: isSupervisor ? 'supervisor' : 'worker' };
}

/** The row as text can tell it, for the key of a table: without the function that starts the child. */
export function keyOf(row: ChildRow): object {
  return { ...row, spec: describeSpec(row) };
}

/**
 * What is kept of a specification when its child has been spawned. A temporary child is spawned once: so its `start`, and
 * with it the arguments of the request for the child, which may be large, are let go.
 */
export function afterSpawn(spec: DynamicChildSpec): DynamicChildSpec {
  return spec.restart === 'temporary' ? { ...spec, start: spent } : spec;
}

function spent(): never {
  throw new InvariantError('a temporary child is spawned once');
}

/** A supervisor stops when its whole subtree has: no default limit could be right for it. */
export function limitOf({ spec, isSupervisor }: Pick<ChildRow, 'spec' | 'isSupervisor'>): Shutdown {
  return spec.shutdown ?? (isSupervisor ? 'infinity' : SHUTDOWN_MS);
}

/** OTP's table of restarts. */
export function mustRestart({ restart = 'permanent' }: Pick<ChildSpec, 'restart'>, reason: ExitReason): boolean {
  return restart === 'permanent' || (restart === 'transient' && isFault(reason));
}
