/**
 * RestartCounts: each supervisor's restarts, counted again from the trace by OTP's rule, and compared with what it did.
 *
 * The rule: whole seconds, the window includes its border, and one more than `maxRestarts` ends the supervisor. A
 * group counts once, each try of a restart that fails counts. What a supervisor decides is its very next event, so the
 * delivery before it is the cause, and says when.
 */
import type { ExitReason, Message, Pid } from '../../../src/otp/process.ts';
import type { Chronicle } from './chronicle.ts';
import { mustComeBack, planOf, plannedChild, type DynamicPlan, type TreePlan } from './random-tree.ts';

interface Decision {
  readonly isAdmitted: boolean;
  readonly second: number;
  readonly cause: Message;
}

export function wrongRestarts(tree: TreePlan, told: Chronicle): readonly string[] {
  return [...decisions(told)].flatMap(([supervisor, made]) => {
    const plan = planOf(tree, supervisor);
    if (plan === undefined) return [`${supervisor} is no supervisor`];
    return [...wrongDecisions(supervisor, plan, made), ...needlessRestarts(supervisor, plan, made)];
  });
}

function wrongDecisions(
  supervisor: Pid,
  { maxRestarts, maxSeconds }: TreePlan | DynamicPlan,
  made: readonly Decision[],
): readonly string[] {
  return made.flatMap(({ isAdmitted, second }, index) => {
    const before = made.slice(0, index).filter((other) => other.isAdmitted && other.second >= second - maxSeconds);
    const isAllowed = before.length < maxRestarts;
    if (isAdmitted === isAllowed) return [];
    const did = isAdmitted ? 'restarted' : 'gave up';
    return [`${supervisor} ${did} after ${before.length} restarts in ${maxSeconds} s, ${maxRestarts} are allowed`];
  });
}

/** Of a child that should not come back. */
function needlessRestarts(supervisor: Pid, plan: TreePlan | DynamicPlan, made: readonly Decision[]): readonly string[] {
  return made.flatMap(({ cause: { process, reason } }) => {
    const child = 'children' in plan ? plannedChild(plan, supervisor, String(process)) : undefined;
    const isNeedless = child !== undefined && reason !== undefined && !mustComeBack(child, reason as ExitReason);
    return isNeedless ? [`${supervisor} restarts ${String(process)}, which is ${child.restart}`] : [];
  });
}

function decisions({ records }: Chronicle): ReadonlyMap<Pid, readonly Decision[]> {
  const made = new Map<Pid, Decision[]>();
  const last = new Map<Pid, { readonly message: Message; readonly atMs: number }>();
  for (const record of records) {
    if (record.type !== 'deliver') continue;
    const { to, message, atMs } = record;
    const because = last.get(to);
    last.set(to, { message, atMs });
    if (because === undefined || record.from !== to || !isDecision(message.type, because.message.type)) continue;
    const decision = { isAdmitted: message.type !== 'restarts.exhausted', second: Math.floor(because.atMs / 1000), cause: because.message };
    made.set(to, [...(made.get(to) ?? []), decision]);
  }
  return made;
}

/** A dynamic supervisor is told of a child that is due, by a restart or because somebody asked for it. */
function isDecision(type: string, cause: string): boolean {
  if (type === 'restart.planned' || type === 'restarts.exhausted') return true;
  return type === 'child.due' && (cause === 'EXIT' || cause === 'restart.retry');
}
