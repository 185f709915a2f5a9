/** What a supervisor does that no other process may: it makes processes, and reads the clock for its restart intensity. */
import { invariant } from '../../base/invariant.ts';
import { insert, reply } from '../kernel/calls.ts';
import type { RequestAnswer } from './child-requests.ts';
import { limitOf, listed } from './child-row.ts';
import { effect } from '../effects.ts';
import type { Entry } from '../kernel/entry.ts';
import { isPortSpec, type ReplyTo } from '../process.ts';
import { specOf } from '../kernel/starts.ts';
import { SupervisionTable, type TimedChange } from './supervision-table.ts';

export interface SupervisionEffectParams {
  /** Starts the child of this id; STARTED or EXIT will follow. */
  spawnChild: { id: string };
  /** Like `apply` to the children, with the time. */
  applyNow: { change: TimedChange };
  answerRequests: { answers: readonly RequestAnswer[] };
  answerChildren: { to: ReplyTo };
  answerCount: { to: ReplyTo };
}

type SupervisionEffects = {
  readonly [Name in keyof SupervisionEffectParams]: (args: { self: object }, params: SupervisionEffectParams[Name]) => void;
};

export const supervisionEffects: SupervisionEffects = {
  spawnChild: effect(spawnChild),
  applyNow: effect(applyNow),
  answerRequests: effect(answerRequests),
  answerChildren: effect(answerChildren),
  answerCount: effect(answerCount),
};

function spawnChild(entry: Entry, { id }: SupervisionEffectParams['spawnChild']): void {
  const table = supervisionTable(entry);
  const row = table.rows.ofId(id);
  invariant(row !== undefined, `the supervisor has a child '${id}'`);
  const spec = specOf(row.spec.start);
  const isSupervisor = row.spec.type === undefined ? !isPortSpec(spec) && spec.isSupervisor === true : row.spec.type === 'supervisor';
  const shutdown = limitOf({ spec: row.spec, isSupervisor });
  const order = table.isOrdered ? { order: row.order } : {};
  const child = entry.kernel.spawn(spec, { id, parent: entry, shutdown, restarts: row.spawned, ...order });
  const isRestart = row.spawned > 0 && !table.isAskedToStart;
  if (isRestart) entry.kernel.lifecycle?.({ type: 'restart', supervisor: entry.pid, id, process: child.pid });
  table.apply({ type: 'spawned', id, process: child.pid, isSupervisor });
}

function applyNow(entry: Entry, { change }: SupervisionEffectParams['applyNow']): void {
  const answer = supervisionTable(entry).apply({ ...change, nowMs: entry.kernel.clock.nowMs() });
  if (answer !== undefined) insert(entry, answer);
}

function answerRequests(entry: Entry, { answers }: SupervisionEffectParams['answerRequests']): void {
  for (const { to, event } of answers) reply(entry, to, event);
}

function answerChildren(entry: Entry, { to }: { to: ReplyTo }): void {
  reply(entry, to, { type: 'children', children: Array.from(supervisionTable(entry).rows.all(), listed) });
}

function answerCount(entry: Entry, { to }: { to: ReplyTo }): void {
  const counts = supervisionTable(entry).counts((process) => entry.kernel.resolve(process) !== undefined);
  reply(entry, to, { type: 'children.counted', ...counts });
}

export function supervisionTable(entry: Entry): SupervisionTable {
  const table = entry.tables?.children;
  invariant(table instanceof SupervisionTable, 'a supervisor has a table of children');
  return table;
}
