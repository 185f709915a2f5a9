/**
 * TreeView: the supervision tree, as small as a person can look at it. More than a few children of one kind are one population,
 * and so is what stands below those: the numbers of a tree always add up to all that live.
 */
import type { ProcessSummary } from '../../otp/kernel/process-summary.ts';
import type { Pid } from '../../otp/process.ts';
import type { TreeNode } from '../views/tree.ts';
import { kindOf, populationsOf, rowOf } from './process-rows.ts';

const SHOWN_OF_A_KIND_MAX = 20;

export interface Tree {
  readonly processes: number;
  readonly roots: readonly TreeNode[];
}

export function treeView(processes: Iterable<ProcessSummary>, epochMs: (atMs: number) => number): Tree {
  const children = new Map<Pid | undefined, ProcessSummary[]>();
  let count = 0;
  for (const process of processes) {
    count += 1;
    const siblings = children.get(process.parent);
    if (siblings === undefined) children.set(process.parent, [process]);
    else siblings.push(process);
  }
  return { processes: count, roots: new TreeFolding(children, epochMs).below(undefined) };
}

class TreeFolding {
  constructor(
    private readonly children: ReadonlyMap<Pid | undefined, ProcessSummary[]>,
    private readonly epochMs: (atMs: number) => number,
  ) {}

  /** A tree of supervisors is as deep as somebody has written it: a few levels. */
  below(parent: Pid | undefined): readonly TreeNode[] {
    const siblings = this.children.get(parent) ?? [];
    const { shown, folded } = splitByKind(siblings);
    const populations = populationsOf(this.withDescendants(folded)).map((population) => {
      return { type: 'population' as const, supervisor: parent ?? '', ...population };
    });
    return [...shown.sort((one, other) => one.order - other.order).map((process) => this.node(process)), ...populations];
  }

  private node(process: ProcessSummary): TreeNode {
    const childCount = this.children.get(process.pid)?.length ?? 0;
    return { type: 'process', ...rowOf(process, childCount, this.epochMs), children: this.below(process.pid) };
  }

  private withDescendants(processes: readonly ProcessSummary[]): readonly ProcessSummary[] {
    const all = [...processes];
    for (let index = 0; index < all.length; index += 1) {
      const process = all[index];
      if (process !== undefined) for (const child of this.children.get(process.pid) ?? []) all.push(child);
    }
    return all;
  }
}

function splitByKind(siblings: readonly ProcessSummary[]) {
  if (siblings.length <= SHOWN_OF_A_KIND_MAX) return { shown: [...siblings], folded: [] };
  const counts = new Map<string, number>();
  for (const process of siblings) counts.set(kindOf(process), (counts.get(kindOf(process)) ?? 0) + 1);
  const isFolded = (process: ProcessSummary): boolean => (counts.get(kindOf(process)) ?? 0) > SHOWN_OF_A_KIND_MAX;
  return { shown: siblings.filter((process) => !isFolded(process)), folded: siblings.filter(isFolded) };
}
