/**
 * AutoShutdowns: a supervisor ends with its significant children, the first or the last of them, when one has ended by
 * itself and for good; and with nobody else. One that is stopped on request, in a group or by being ignored is not it.
 */
import type { ExitReason, Message, Pid } from '../../../src/otp/process.ts';
import { flatten, type Chronicle } from './chronicle.ts';
import { mustComeBack, planOf, plannedChild, type ChildPlan, type TreePlan } from './random-tree.ts';

/** The end of a significant child, as its supervisor heard of it. */
interface End {
  readonly supervisor: Pid;
  readonly plan: TreePlan;
  readonly process: string;
  /** While the supervisor was about nothing else, and not to be restarted. */
  readonly isForGood: boolean;
}

export function wrongAutoShutdowns(tree: TreePlan, told: Chronicle): readonly string[] {
  const { ends, unfounded } = heardIn(tree, told);
  const resting = new Set(told.alive.flatMap(flatten).map(({ pid }) => pid));
  const ignored = ends
    .filter(({ supervisor, isForGood }) => isForGood && resting.has(supervisor))
    .filter((end) => wasTheOne(end, ends, told));
  return [...unfounded, ...ignored.map(({ supervisor, process }) => `${supervisor} goes on after the end of ${process}`)];
}

function heardIn(
  tree: TreePlan,
  { records, restedAt }: Chronicle,
): { readonly ends: readonly End[]; readonly unfounded: readonly string[] } {
  const ends: End[] = [];
  const unfounded: string[] = [];
  const states = new Map<string, unknown>();
  const living = new Set<string>();
  /** Whose end is no news: it was not needed, or a link has told of it already. */
  const settled = new Set<string>();
  for (const record of records) {
    if (record.n > restedAt) break;
    if (record.type === 'transition') states.set(record.process, record.state);
    if (record.type === 'spawn') living.add(record.process);
    if (record.type === 'exit') living.delete(record.process);
    if (record.type !== 'deliver') continue;
    const { to: supervisor, message } = record;
    const plan = planOf(tree, supervisor);
    if (plan === undefined || !('children' in plan)) continue;
    if (message.type === 'IGNORED') settled.add(String(message.process));
    const end = endOf(message, supervisor, plan);
    if (end !== undefined && (message.type === 'child.kept' || !settled.has(end.process))) {
      settled.add(end.process);
      const isForGood = states.get(supervisor) === 'running' && !mustComeBack(end.child, end.reason);
      ends.push({ supervisor, plan, process: end.process, isForGood });
    }
    if (message.type !== 'significant.ended') continue;
    const isTooEarly = plan.autoShutdown === 'all_significant' && [...living].some((pid) => isSignificant(plan, supervisor, pid));
    const isFounded = ends.findLast((other) => other.supervisor === supervisor)?.isForGood === true;
    if (isTooEarly || !isFounded) {
      unfounded.push(
        `${supervisor} ended ${isTooEarly ? 'before the last of its significant children' : 'with a child that is not significant'}`,
      );
    }
  }
  return { ends, unfounded };
}

function endOf(
  { type, process, reason }: Message,
  supervisor: Pid,
  plan: TreePlan,
): { readonly process: string; readonly reason: ExitReason; readonly child: ChildPlan } | undefined {
  const child = plannedChild(plan, supervisor, String(process));
  if (
    (type !== 'EXIT' && type !== 'child.kept') ||
    plan.autoShutdown === 'never' ||
    child === undefined ||
    !isSignificant(plan, supervisor, String(process))
  )
    return undefined;
  return { process: String(process), reason: reason as ExitReason, child };
}

/** Of all of them only the last counts; another may have been stopped on request, or found that it was not needed, after it. */
function wasTheOne(end: End, ends: readonly End[], { records, listed }: Chronicle): boolean {
  if (end.plan.autoShutdown === 'any_significant') return true;
  const isInterfered = records.some(
    (record) =>
      record.type === 'deliver' &&
      record.to === end.supervisor &&
      (record.message.type === 'IGNORED' || record.message.type.endsWith('Child')),
  );
  const isLast = ends.findLast(({ supervisor }) => supervisor === end.supervisor) === end;
  const isAnyLeft = (listed.get(end.supervisor) ?? []).some(({ pid }) => pid !== undefined && isSignificant(end.plan, end.supervisor, pid));
  return isLast && !isAnyLeft && !isInterfered;
}

function isSignificant(plan: TreePlan, supervisor: string, pid: string): boolean {
  const child = plannedChild(plan, supervisor, pid);
  return child?.significant === true && child.restart !== 'permanent';
}
