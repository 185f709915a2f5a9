/**
 * ProcessEnd: what can be told of a process only at the moment of its end, with what its supervisor will make of it.
 *
 * It is told as the process was: its state is the one it was in, or the one it ended in. Nobody has heard of the end yet.
 */
import type { Entry } from './entry.ts';
import { summaryOf, type ProcessSummary } from './process-summary.ts';
import type { ExitReason, Message } from '../process.ts';
import { SupervisionTable, type ChildFate } from '../supervision/supervision-table.ts';

export interface ProcessEnd {
  readonly process: ProcessSummary;
  readonly reason: ExitReason;
  /** The event that it was handling; undefined when it ended by a signal from outside, or before its first event. */
  readonly event: Message | undefined;
  /** Of its machine, never to be changed; undefined for a port. */
  readonly context: unknown;
  /** Undefined when its parent is no supervisor. */
  readonly fate: ChildFate | undefined;
}

export function endOf(entry: Entry, reason: ExitReason): ProcessEnd {
  const { current, parent } = entry;
  const children = parent?.tables?.children;
  return {
    process: summaryOf(entry),
    reason,
    event: current !== undefined && 'message' in current ? current.message : undefined,
    context: contextOf(entry),
    fate: children instanceof SupervisionTable ? children.fateOf(entry.pid, reason) : undefined,
  };
}

/** Of a process that hibernates, without waking it. */
export function contextOf({ actor, context }: Entry): unknown {
  const snapshot: unknown = actor?.getSnapshot();
  return typeof snapshot === 'object' && snapshot !== null && 'context' in snapshot ? snapshot.context : context;
}
