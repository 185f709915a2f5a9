/** What a supervisor does that no other process may: make processes, and read the clock for its restart intensity. */
import { invariant } from '../../base/invariant.ts';
import { insert, reply } from '../kernel/calls.ts';
import type { Answer } from './child-requests.ts';
import { limitOf, listed, type ChildRow } from './child-row.ts';
import type { ChildCounts } from './child-rows.ts';
import { effect } from '../effects.ts';
import type { Entry } from '../kernel/entry.ts';
import { isPortSpec, type Message, type Pid, type ReplyTo, type Table } from '../process.ts';
import { specOf } from '../kernel/starts.ts';

export interface SupervisorEffectParams {
  /** Starts the child of this id; STARTED or EXIT will follow. */
  spawnChild: { id: string };
  /** Like `apply` to the children, with the time. */
  applyNow: { change: Message };
  answerRequests: { answers: readonly Answer[] };
  answerChildren: { to: ReplyTo };
  answerCount: { to: ReplyTo };
}

type SupervisorEffects = { readonly [Name in keyof SupervisorEffectParams]: (args: { self: object }, params: SupervisorEffectParams[Name]) => void };

export const supervisorEffects: SupervisorEffects = {
  spawnChild: effect(spawnChild),
  applyNow: effect(applyNow),
  answerRequests: effect(answerRequests),
  answerChildren: effect(answerChildren),
  answerCount: effect(answerCount),
};

/** What an effect needs of a supervisor's table. */
interface SupervisionTable extends Table<unknown> {
  /** Whether its children have a place that they keep when they are started again. */
  readonly isOrdered: boolean;
  row(id: string): ChildRow | undefined;
  all(): Iterable<ChildRow>;
  counts(isAlive: (process: Pid) => boolean): ChildCounts;
}

function spawnChild(entry: Entry, { id }: SupervisorEffectParams['spawnChild']): void {
  const table = supervisionTable(entry);
  const row = table.row(id);
  invariant(row !== undefined, `the supervisor has a child '${id}'`);
  const spec = specOf(row.spec.start);
  const isSupervisor = row.spec.type === undefined ? !isPortSpec(spec) && spec.isSupervisor === true : row.spec.type === 'supervisor';
  const shutdown = limitOf({ spec: row.spec, isSupervisor });
  const child = entry.kernel.spawn(spec, { id, parent: entry, shutdown, restarts: row.spawned, ...(table.isOrdered ? { order: row.order } : {}) });
  if (row.spawned > 0) entry.kernel.lifecycle?.({ type: 'restart', supervisor: entry.pid, id, process: child.pid });
  table.apply({ type: 'spawned', id, process: child.pid, isSupervisor });
}

function applyNow(entry: Entry, { change }: SupervisorEffectParams['applyNow']): void {
  const answer = supervisionTable(entry).apply({ ...change, nowMs: entry.kernel.clock.nowMs() });
  if (answer !== undefined) insert(entry, answer);
}

function answerRequests(entry: Entry, { answers }: SupervisorEffectParams['answerRequests']): void {
  for (const { to, event } of answers) reply(entry, to, event);
}

function answerChildren(entry: Entry, { to }: { to: ReplyTo }): void {
  reply(entry, to, { type: 'children', children: Array.from(supervisionTable(entry).all(), listed) });
}

function answerCount(entry: Entry, { to }: { to: ReplyTo }): void {
  const counts = supervisionTable(entry).counts((process) => entry.kernel.resolve(process) !== undefined);
  reply(entry, to, { type: 'children.counted', ...counts });
}

export function supervisionTable(entry: Entry): SupervisionTable {
  const table = entry.tables?.children;
  invariant(table !== undefined && isSupervisionTable(table), 'a supervisor has a table of children');
  return table;
}

function isSupervisionTable(table: Table): table is SupervisionTable {
  return 'row' in table && 'all' in table && 'counts' in table;
}
