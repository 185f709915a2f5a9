/** What a dynamic supervisor does with all its children at once. It does so only when it ends: each loop runs over all of them. */
import { invariant } from '../../base/invariant.ts';
import { insert } from '../kernel/calls.ts';
import { limitOf } from './child-row.ts';
import { DynamicChildTable } from './dynamic-child-table.ts';
import { effect } from '../effects.ts';
import type { Entry } from '../kernel/entry.ts';
import type { Pid } from '../process.ts';
import { startTimer } from '../kernel/process-timers.ts';
import { supervisionTable } from './supervision-effects.ts';

export interface DynamicSupervisorEffectParams {
  /** Tells every child to stop, each by its own rule. Children of the same limit share a timer, `shutdown.<ms>`. */
  stopAll: undefined;
  /** Kills the children whose time is over, as the timer's name says. */
  killOverdue: { timeout: string };
}

type DynamicSupervisorEffects = {
  readonly [Name in keyof DynamicSupervisorEffectParams]: (args: { self: object }, params: DynamicSupervisorEffectParams[Name]) => void;
};

export const dynamicSupervisorEffects: DynamicSupervisorEffects = {
  stopAll: effect(stopAll),
  killOverdue: effect(killOverdue),
};

function stopAll(entry: Entry): void {
  const { rows } = tableOf(entry);
  const limits = new Set<number>();
  for (const child of entry.children()) {
    const row = rows.ofPid(child.pid);
    if (row === undefined || row.status === 'stopping') continue; // It was told by request, and its timer runs.
    const limit = limitOf(row);
    entry.kernel.enqueue(child, { kind: 'exit', source: entry, reason: limit === 'brutal_kill' ? 'kill' : 'shutdown' });
    if (typeof limit === 'number') limits.add(limit);
  }
  for (const limitMs of limits) startTimer(entry, { name: `shutdown.${limitMs}`, delayMs: limitMs });
  if (rows.activeCount === 0) insert(entry, { type: 'children.stopped' });
}

function killOverdue(entry: Entry, { timeout }: DynamicSupervisorEffectParams['killOverdue']): void {
  const single = /^timeout\.terminate\.(.*)$/.exec(timeout)?.[1];
  if (single !== undefined) {
    exit(entry, single as Pid, 'kill');
    return;
  }
  const limitMs = Number(timeout.slice('timeout.shutdown.'.length));
  for (const row of tableOf(entry).rows.all()) if (limitOf(row) === limitMs) exit(entry, row.pid, 'kill');
}

/** Does nothing for a child that has ended meanwhile. */
function exit(entry: Entry, pid: Pid | undefined, reason: 'shutdown' | 'kill'): void {
  const child = pid === undefined ? undefined : entry.kernel.resolve(pid);
  if (child !== undefined) entry.kernel.enqueue(child, { kind: 'exit', source: entry, reason });
}

function tableOf(entry: Entry): DynamicChildTable {
  const table = supervisionTable(entry);
  invariant(table instanceof DynamicChildTable, 'a dynamic supervisor has a table of dynamic children');
  return table;
}
