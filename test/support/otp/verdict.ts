/** Verdict: what was wrong in one chronicle, in words; nothing when all that is promised of every fate was kept. */
import type { Pid } from '../../../src/otp/process.ts';
import type { ProcessTree } from '../../../src/otp/tree.ts';
import { wrongAutoShutdowns } from './auto-shutdowns.ts';
import { effectsOf, flatten, type Chronicle } from './chronicle.ts';
import { survivorsOfLinks } from './link-ends.ts';
import { brokenPromises } from './outcomes.ts';
import { plannedChild, type ChildPlan, type Fate, type TreePlan } from './random-tree.ts';
import { wrongRestarts } from './restart-counts.ts';
import { wrongRestartTypes } from './restart-types.ts';

export function verdictOn({ tree }: Fate, told: Chronicle): readonly string[] {
  return [
    ...miscounted('DOWN of', told.born, told.downs.map(({ process }) => process as Pid)),
    ...told.left.map((pid) => `${pid} is left when all is over`),
    ...orphans(told),
    ...told.alive.flatMap(restless),
    ...told.alive.flatMap((root) => wronglyListed(root, told)),
    ...told.alive.flatMap((root) => stoppedOutOfOrder(root, tree, told)),
    ...overtaken(told),
    ...wrongRestarts(tree, told),
    ...wrongRestartTypes(tree, told),
    ...wrongAutoShutdowns(tree, told),
    ...survivorsOfLinks(tree, told),
    ...brokenPromises(told),
  ];
}

/** Each exactly once. */
function miscounted(what: string, expected: readonly string[], seen: readonly string[]): readonly string[] {
  const count = new Map(expected.map((item) => [item, 0]));
  for (const item of seen) count.set(item, (count.get(item) ?? 0) + 1);
  return [...count].filter(([, times]) => times !== 1).map(([item, times]) => `${what} ${item}: ${times} times`);
}

/** Processes that lived on when nothing moved any more, without the one that had made them. */
function orphans({ records, restedAt }: Chronicle): readonly string[] {
  const living = new Map<string, string>();
  for (const record of records) {
    if (record.n > restedAt) break;
    if (record.type === 'spawn') living.set(record.process, record.parent);
    if (record.type === 'exit') living.delete(record.process);
  }
  return [...living].filter(([, parent]) => parent !== 'outside' && !living.has(parent)).map(([pid]) => `${pid} is an orphan`);
}

/** Who is neither at work nor at rest, when nothing moves any more: it waits for what will never come. */
function restless(root: ProcessTree): readonly string[] {
  const busy = flatten(root).filter(({ state }) => state !== 'running' && state !== 'awake');
  return busy.map(({ pid, state }) => `${pid} waits in ${JSON.stringify(state)}`);
}

/** What a supervisor says of its children is what there is. */
function wronglyListed(root: ProcessTree, { listed }: Chronicle): readonly string[] {
  return flatten(root).flatMap(({ pid, children }) => {
    const said = listed.get(pid);
    if (said === undefined) return [];
    const between = said
      .filter(({ status }) => status !== 'up' && status !== 'down')
      .map(({ id, status }) => `${pid} lists ${id} as ${status}`);
    const up = said.flatMap((child) => (child.pid === undefined ? [] : [child.pid]));
    return [...between, ...miscounted(`${pid} lists`, children.map((child) => child.pid), up)];
  });
}

/** Those who ended before the sibling that was started after them, through nobody's link. */
function stoppedOutOfOrder(node: ProcessTree, plan: TreePlan, told: Chronicle): readonly string[] {
  const place = new Map(told.stopOrder.map((pid, index) => [pid, index]));
  const linked = linkedPids(told);
  const early = node.children.filter(({ pid }, index) => {
    const next = node.children[index + 1];
    return next !== undefined && (place.get(pid) ?? 0) < (place.get(next.pid) ?? 0) && !linked.some((other) => isOrIsBelow(other, pid));
  });
  const below = node.children.flatMap((child) => {
    const planned = plannedChild(plan, node.pid, child.pid)?.below ?? null;
    return isTree(planned) ? stoppedOutOfOrder(child, planned, told) : [];
  });
  return [...early.map(({ pid }) => `${pid} stopped too early`), ...below];
}

/** Who may have ended with another: with it, a supervisor that had no restart left. */
function linkedPids({ records }: Chronicle): readonly string[] {
  return records.flatMap((record) => {
    if (record.type !== 'deliver') return [];
    return effectsOf(record.message).flatMap(({ type, params }) => {
      if (type === 'link') return [record.to, String(params.process)];
      return params.link === true ? [record.to] : [];
    });
  });
}

/** Messages that arrived before one that the same process had sent earlier to the same. A postponed one has arrived. */
function overtaken({ records }: Chronicle): readonly string[] {
  const sentAt = new Map<unknown, number>();
  const lastOfPair = new Map<string, number>();
  return records.flatMap((record) => {
    if (record.type === 'send') sentAt.set(record.message, record.n);
    if (record.type !== 'deliver' || record.from === record.to) return [];
    const pair = `${record.from} → ${record.to}`;
    const sent = sentAt.get(record.message);
    // EXIT and DOWN become messages only where they arrive.
    if (sent === undefined) return [];
    sentAt.delete(record.message);
    const isOvertaken = sent < (lastOfPair.get(pair) ?? 0);
    lastOfPair.set(pair, sent);
    return isOvertaken ? [`${pair} ${record.message.type} was overtaken`] : [];
  });
}

function isTree(below: ChildPlan['below']): below is TreePlan {
  return below !== null && 'children' in below;
}

function isOrIsBelow(pid: string, above: string): boolean {
  return pid === above || pid.startsWith(`${above.slice(0, above.lastIndexOf('#'))}/`);
}
