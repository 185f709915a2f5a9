/** What a supervisor does that no other process may: make processes, and read the clock for its restart intensity. */
import { invariant } from '../base/invariant.ts';
import { insert, reply } from './calls.ts';
import type { ChildSpec } from './child-spec.ts';
import { SHUTDOWN_MS } from './child-table.ts';
import { effect } from './effects.ts';
import type { Entry } from './entry.ts';
import { isPortSpec, type Message, type Pid, type ProcessSpec, type ReplyTo, type Table } from './process.ts';

export interface SupervisorEffectParams {
  /** Starts the child of this id; STARTED or EXIT will follow. */
  spawnChild: { id: string };
  /** Like `apply` to the children, with the time. */
  applyNow: { change: Message };
  answerChildren: { to: ReplyTo };
  answerCount: { to: ReplyTo };
}

type SupervisorEffects = { readonly [Name in keyof SupervisorEffectParams]: (args: { self: object }, params: SupervisorEffectParams[Name]) => void };

export const supervisorEffects: SupervisorEffects = {
  spawnChild: effect(spawnChild),
  applyNow: effect(applyNow),
  answerChildren: effect(answerChildren),
  answerCount: effect(answerCount),
};

/** What both kinds of supervisor keep about a child. */
export interface SupervisedRow {
  readonly spec: Omit<ChildSpec, 'id'>;
  readonly pid: Pid | undefined;
  readonly status: string;
  readonly spawned: number;
  readonly isSupervisor: boolean;
}

/** What an effect needs of a supervisor's table. */
interface SupervisionTable extends Table<unknown> {
  row(id: string): SupervisedRow | undefined;
  orderOf(id: string): number;
  all(): Iterable<SupervisedRow & { readonly id: string }>;
}

function spawnChild(entry: Entry, { id }: SupervisorEffectParams['spawnChild']): void {
  const table = supervisionTable(entry);
  const row = table.row(id);
  invariant(row !== undefined, `the supervisor has a child '${id}'`);
  const spec = specOf(row.spec.start);
  const isSupervisor = !isPortSpec(spec) && spec.isSupervisor === true;
  const shutdown = row.spec.shutdown ?? (isSupervisor ? 'infinity' : SHUTDOWN_MS);
  const child = entry.kernel.spawn(spec, { id, parent: entry, order: table.orderOf(id), shutdown });
  if (row.spawned > 0) entry.kernel.lifecycle?.({ type: 'restart', supervisor: entry.pid, id, process: child.pid });
  table.apply({ type: 'spawned', id, process: child.pid, isSupervisor });
}

/** A specification that cannot even be evaluated is a process that cannot even be opened. */
function specOf(start: () => ProcessSpec): ProcessSpec {
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
  const answer = supervisionTable(entry).apply({ ...change, nowMs: entry.kernel.clock.nowMs() });
  if (answer !== undefined) insert(entry, answer);
}

function answerChildren(entry: Entry, { to }: { to: ReplyTo }): void {
  const children = Array.from(supervisionTable(entry).all(), ({ id, pid, status }) => ({ id, pid, status }));
  reply(entry, to, { type: 'children', children });
}

function answerCount(entry: Entry, { to }: { to: ReplyTo }): void {
  const counts = { specs: 0, active: 0, supervisors: 0, workers: 0 };
  for (const { pid, isSupervisor } of supervisionTable(entry).all()) {
    counts.specs += 1;
    counts.active += pid === undefined ? 0 : 1;
    counts.supervisors += isSupervisor ? 1 : 0;
    counts.workers += isSupervisor ? 0 : 1;
  }
  reply(entry, to, { type: 'children.counted', ...counts });
}

export function supervisionTable(entry: Entry): SupervisionTable {
  const table = entry.tables?.children;
  invariant(table !== undefined && isSupervisionTable(table), 'a supervisor has a table of children');
  return table;
}

function isSupervisionTable(table: Table): table is SupervisionTable {
  return 'row' in table && 'orderOf' in table && 'all' in table;
}
