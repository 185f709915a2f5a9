/** What a supervisor does that no other process may: make processes, and read the clock for its restart intensity. */
import { invariant } from '../base/invariant.ts';
import { insert, reply } from './calls.ts';
import { ChildTable, SHUTDOWN_MS, type ChildChange } from './child-table.ts';
import { effect } from './effects.ts';
import type { Entry } from './entry.ts';
import { isPortSpec, type ProcessSpec, type ReplyTo } from './process.ts';

/** A change that wants to know what time it is. */
type TimedChange = ChildChange extends infer Change ? (Change extends { nowMs: number } ? Omit<Change, 'nowMs'> : never) : never;

export interface SupervisorEffectParams {
  /** Starts the child of this id; STARTED or EXIT will follow. */
  spawnChild: { id: string };
  /** Like `apply`, with the time. */
  applyNow: { change: TimedChange };
  answerChildren: { to: ReplyTo };
  answerCount: { to: ReplyTo };
}

export const supervisorEffects = {
  spawnChild: effect(spawnChild),
  applyNow: effect(applyNow),
  answerChildren: effect(answerChildren),
  answerCount: effect(answerCount),
};

/** How many children there are, as OTP counts them. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

function spawnChild(entry: Entry, { id }: SupervisorEffectParams['spawnChild']): void {
  const table = childTable(entry);
  const row = table.row(id);
  invariant(row !== undefined, `the supervisor has a child '${id}'`);
  const spec = specOf(row.spec.start);
  const isSupervisor = !isPortSpec(spec) && spec.isSupervisor === true;
  const shutdown = row.spec.shutdown ?? (isSupervisor ? 'infinity' : SHUTDOWN_MS);
  const child = entry.kernel.spawn(spec, { id, parent: entry, order: table.orderOf(id), shutdown });
  if (row.spawned > 0) entry.kernel.tracer?.({ type: 'restart', supervisor: entry.pid, id, process: child.pid });
  table.apply({ type: 'spawned', id, process: child.pid, isSupervisor });
}

/** A specification that cannot even be evaluated is a process that cannot even be opened. */
export function specOf(start: () => ProcessSpec): ProcessSpec {
  try {
    return start();
  } catch (thrown) {
    return {
      open: () => {
        throw thrown;
      },
    };
  }
}

function applyNow(entry: Entry, { change }: SupervisorEffectParams['applyNow']): void {
  const answer = childTable(entry).apply({ ...change, nowMs: entry.kernel.clock.nowMs() });
  if (answer !== undefined) insert(entry, answer);
}

function answerChildren(entry: Entry, { to }: { to: ReplyTo }): void {
  const children = childTable(entry).all().map(({ spec, pid, status }) => ({ id: spec.id, process: pid, status }));
  reply(entry, to, { type: 'children', children });
}

function answerCount(entry: Entry, { to }: { to: ReplyTo }): void {
  const rows = childTable(entry).all();
  const supervisors = rows.filter((row) => row.isSupervisor).length;
  const active = rows.filter((row) => row.pid !== undefined).length;
  const counts: ChildCounts = { specs: rows.length, active, supervisors, workers: rows.length - supervisors };
  reply(entry, to, { type: 'children.counted', ...counts });
}

function childTable(entry: Entry): ChildTable {
  const table = entry.tables?.children;
  invariant(table instanceof ChildTable, 'a supervisor has a table of children');
  return table;
}
