/** LinkEnds: whoever was linked to a process that ended otherwise than `normal`, and does not trap, has ended too. */
import type { ExitReason } from '../../../src/otp/process.ts';
import { effectsOf, type Chronicle } from './chronicle.ts';
import { planOf, type TreePlan } from './random-tree.ts';

interface Link {
  readonly one: string;
  readonly other: string;
  /** The number of the record. */
  readonly at: number;
}

type Ends = ReadonlyMap<string, { readonly at: number; readonly reason: ExitReason }>;

export function survivorsOfLinks(tree: TreePlan, { records, restedAt }: Chronicle): readonly string[] {
  const links: Link[] = [];
  const unlinked = new Set<string>();
  const ends = new Map<string, { readonly at: number; readonly reason: ExitReason }>();
  const awaited = new Set<string>();
  for (const record of records) {
    if (record.n > restedAt) break;
    const { n: at } = record;
    if (record.type === 'exit') ends.set(record.process, { at, reason: record.reason });
    if (record.type !== 'deliver') continue;
    const { to: one, message } = record;
    for (const { type, params } of effectsOf(message)) {
      const other = String(params.process);
      if (type === 'link') links.push({ one, other, at });
      if (type === 'unlink') unlinked.add(pairOf(one, other)).add(pairOf(other, one));
      if (params.link === true) awaited.add(`${one} ${String(params.as)}.${type === 'spawn' ? 'spawned' : 'started'}`);
    }
    if (awaited.has(`${one} ${message.type}`)) links.push({ one, other: String(message.process), at: 0 }); // Made with it.
  }
  return links
    .filter(({ one, other }) => !unlinked.has(pairOf(one, other)))
    .flatMap(({ one, other, at }) => [
      ...survivor({ one, other, at }, ends, tree),
      ...survivor({ one: other, other: one, at }, ends, tree),
    ]);
}

function survivor({ one, other, at }: Link, ends: Ends, tree: TreePlan): readonly string[] {
  const end = ends.get(other);
  if (end === undefined || ends.has(one) || traps(tree, one)) return [];
  // Linking to the dead is an exit with `noproc`.
  return end.reason === 'normal' && end.at > at ? [] : [`${one} survived ${other}, to which it was linked`];
}

/** Supervisors and the stubborn. */
function traps(tree: TreePlan, pid: string): boolean {
  if (planOf(tree, pid) !== undefined) return true;
  const parent = planOf(tree, `${pid.slice(0, pid.lastIndexOf('/'))}#`);
  if (parent === undefined || !('children' in parent)) return false;
  return parent.children.some(({ stubborn }, index) => stubborn && pid.slice(pid.lastIndexOf('/') + 1).startsWith(`c${index}#`));
}

function pairOf(one: string, other: string): string {
  return `${one} ${other}`;
}
