/**
 * RestartTypes: who was started again, and who was not, against the restart type of each child, from the trace alone.
 *
 * A permanent child runs, a transient one does unless it ended in good order, a temporary one is never started again. As
 * in OTP, requests and ignored starts excuse: a start that was asked for and fails is not tried again; one that waits,
 * down, for its turn in the restart of its group can be deleted; and stopping one whose restart failed leaves those down
 * that were to be started after it.
 */
import { isFault, type ExitReason, type Pid } from '../../../src/otp/process.ts';
import type { NumberedRecord } from '../../../src/otp/kernel/trace.ts';
import type { ProcessTree } from '../../../src/otp/tree.ts';
import { flatten, type Chronicle } from './chronicle.ts';
import { planOf, type ChildPlan, type TreePlan } from './random-tree.ts';

/** What became of one child of one incarnation of a supervisor. */
interface Life {
  readonly supervisor: Pid;
  readonly id: string;
  readonly plan: ChildPlan;
  readonly strategy: TreePlan['strategy'];
  readonly spawns: readonly NumberedRecord[];
  /** Oldest first. */
  readonly ends: readonly { readonly n: number; readonly reason: ExitReason }[];
}

export function wrongRestartTypes(tree: TreePlan, told: Chronicle): readonly string[] {
  const { alive, records, restedAt } = told;
  const resting = new Map<string, ProcessTree>(alive.flatMap(flatten).map((node) => [node.pid, node]));
  return livesIn(tree, records.slice(0, records.findLastIndex(({ n }) => n <= restedAt) + 1)).flatMap((life) => [
    ...startedInVain(life, records),
    ...missing(life, resting.get(life.supervisor), records),
  ]);
}

function startedInVain(life: Life, records: readonly NumberedRecord[]): readonly string[] {
  const { supervisor, id, plan, strategy, spawns, ends } = life;
  if (plan.restart === 'temporary') return spawns.length > 1 ? [`${supervisor} started ${id}, which is temporary, again`] : [];
  if (plan.restart === 'permanent' || strategy !== 'one_for_one' || wasAsked(records, supervisor, ['restartChild'], id)) return [];
  const again = spawns.slice(1).filter(({ n }) => !isFault(ends.findLast((end) => end.n < n)?.reason ?? 'killed'));
  return again.map(() => `${supervisor} started ${id}, which is transient and had finished, again`);
}

/** @param node the supervisor, if it is there when nothing moves any more. */
function missing(life: Life, node: ProcessTree | undefined, records: readonly NumberedRecord[]): readonly string[] {
  const { supervisor, id, plan, strategy, ends } = life;
  if (node === undefined || plan.restart === 'temporary' || node.children.some((child) => child.id === id)) return [];
  if (plan.restart === 'transient' && !isFault(ends.at(-1)?.reason ?? 'normal')) return [];
  const isExcused =
    plan.starts.includes('ignore') ||
    wasAsked(records, supervisor, ['terminateChild', 'restartChild', 'deleteChild'], id) ||
    (strategy !== 'one_for_one' && wasAsked(records, supervisor, ['terminateChild']));
  return isExcused ? [] : [`${supervisor} lacks ${id}`];
}

function livesIn(tree: TreePlan, records: readonly NumberedRecord[]): readonly Life[] {
  const supervisors = records.flatMap((record) => (record.type === 'spawn' ? [record.process] : []));
  return supervisors.flatMap((supervisor) => {
    const plan = planOf(tree, supervisor);
    if (plan === undefined || !('children' in plan)) return [];
    return plan.children.map((child, index) => lifeOf(supervisor, `c${index}`, child, plan.strategy, records));
  });
}

function lifeOf(supervisor: Pid, id: string, plan: ChildPlan, strategy: TreePlan['strategy'], records: readonly NumberedRecord[]): Life {
  const spawns = records.filter((record) => record.type === 'spawn' && record.parent === supervisor && idOf(record.process) === id);
  const pids = new Set(spawns.flatMap((record) => (record.type === 'spawn' ? [record.process] : [])));
  const ends = records.flatMap((record) =>
    record.type === 'exit' && pids.has(record.process) ? [{ n: record.n, reason: record.reason }] : [],
  );
  return { supervisor, id, plan, strategy, spawns, ends };
}

/** @param about any child, unless it is said which. */
function wasAsked(records: readonly NumberedRecord[], supervisor: Pid, requests: readonly string[], about?: string): boolean {
  return records.some(
    (record) =>
      record.type === 'deliver' &&
      record.to === supervisor &&
      requests.includes(record.message.type) &&
      (about === undefined || record.message.id === about),
  );
}

function idOf(process: Pid): string {
  return process.slice(process.lastIndexOf('/') + 1, process.lastIndexOf('#'));
}
