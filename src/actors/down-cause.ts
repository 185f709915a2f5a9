/**
 * DownCause: what a watcher concludes from the exit reason of a Consumer or a Materializer.
 *
 * Draining must never delete, and a failure must never be taken for draining: so every exit reason has exactly one cause,
 * and none is the default. A reason that tells nothing about the data is `gone`: the watcher asks the directory.
 */
import { GAP_CAUSES, type GapCause } from '../model/change.ts';
import type { Lsn } from '../model/lsn.ts';
import type { Xid } from '../model/pg-snapshot.ts';
import type { ErrorReport, ExitReason } from '../otp/process.ts';
import type { ShapeEnd } from '../shapes/change-converter.ts';
import { FILTER_FAILED, type SnapshotFault } from './snapshot-fault.ts';

/** With which most processes of a shape end. One for all: each of them has it from its beginning. */
export const DRAINED: ExitReason = { shutdown: 'drain' };

/** With which a Consumer ends that nothing touches: for whoever watches it, it has drained. */
export const SLEPT: ExitReason = { shutdown: 'sleep' };

/** Why a shape's process was asked to end: the `cause` of the request `stop`, and what `{ shutdown }` carries. */
export type StopCause = 'drain' | Deletion;

export interface Deletion {
  readonly delete: string;
  /** What is stored of the shape is not what was written: an operator is warned. */
  readonly isDamaged?: true;
}

/** Why a shape's process ended by itself: its log cannot go on over this transaction. */
export interface LogEnd {
  readonly delete: ShapeEnd | typeof FILTER_FAILED;
  readonly xid: Xid;
  readonly lsn: Lsn;
  /** What the filter has in a row. */
  readonly error?: SnapshotFault;
}

export type DownCause =
  /** The service stops, or nobody need follow the shape for now: what was stored stays good. */
  | { readonly type: 'drain' }
  /** The shape was given up, for a reason that its clients may hear. */
  | { readonly type: 'delete'; readonly why: string }
  /** The process failed or was ended by force: what it kept cannot be trusted. */
  | { readonly type: 'crash'; readonly error: ErrorReport }
  /** Nothing is known: its directory must be asked. */
  | { readonly type: 'gone' };

export function downCause(reason: ExitReason): DownCause {
  switch (reason) {
    case 'shutdown':
      return { type: 'drain' };
    case 'killed':
      return { type: 'crash', error: { name: 'Killed', message: 'the process was ended by force' } };
    // A shape's process never ends as `normal`. Whoever ended it so said nothing about its data.
    case 'normal':
    case 'noproc':
      return { type: 'gone' };
    default:
      return 'error' in reason ? { type: 'crash', error: reason.error } : shutdownCause(reason.shutdown);
  }
}

/** Whether a Consumer ended because nothing touched its shape. */
export function hasSlept(reason: ExitReason): boolean {
  return typeof reason === 'object' && 'shutdown' in reason && reason.shutdown === 'sleep';
}

function shutdownCause(cause: unknown): DownCause {
  if (cause === 'drain' || cause === 'sleep') return { type: 'drain' };
  if (isDeletion(cause)) return { type: 'delete', why: cause.delete };
  return { type: 'gone' };
}

function isDeletion(cause: unknown): cause is { delete: string } {
  return typeof cause === 'object' && cause !== null && 'delete' in cause && typeof cause.delete === 'string';
}

/** What kept a shape from its first row, or its filter from being told of a later one, when its Consumer ended for that; else undefined. */
export function snapshotFailure(reason: ExitReason): unknown {
  if (typeof reason !== 'object' || !('shutdown' in reason) || !isDeletion(reason.shutdown)) return undefined;
  return 'error' in reason.shutdown ? reason.shutdown.error : undefined;
}

/** The error that a filter has in a row, when the shape's process ended for that; undefined for any other end. */
export function filterFailure(reason: ExitReason): SnapshotFault | undefined {
  const cause = downCause(reason);
  return cause.type === 'delete' && cause.why === FILTER_FAILED ? (snapshotFailure(reason) as SnapshotFault) : undefined;
}

/** Whether a shape's process ended because what is stored of the shape does not hold. */
export function isDamage(reason: ExitReason): boolean {
  if (typeof reason !== 'object' || !('shutdown' in reason) || !isDeletion(reason.shutdown)) return false;
  return 'isDamaged' in reason.shutdown && reason.shutdown.isDamaged === true;
}

/** The transaction that ended a shape because nobody can tell what it did to the table; undefined for any other end. */
export function gapOf(reason: ExitReason): (LogEnd & { readonly delete: GapCause }) | undefined {
  return typeof reason === 'object' && 'shutdown' in reason && isGap(reason.shutdown) ? reason.shutdown : undefined;
}

function isGap(cause: unknown): cause is LogEnd & { delete: GapCause } {
  return isDeletion(cause) && GAP_CAUSES.some((gap) => gap === cause.delete) && 'xid' in cause && 'lsn' in cause;
}

/** The reason with which a shape's process ends when its supervisor ends it: a deletion stays a deletion, all else is a drain. */
export function leavingReason(reason: ExitReason): ExitReason {
  const cause = downCause(reason);
  return cause.type === 'delete' ? { shutdown: { delete: cause.why } } : DRAINED;
}
