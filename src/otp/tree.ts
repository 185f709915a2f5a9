/** The tree of living processes: a snapshot for people and tests. */
import { firstOf } from './kernel/registry.ts';
import type { Entry } from './kernel/entry.ts';
import type { Name, Pid } from './process.ts';

export interface ProcessTree {
  readonly id: string;
  readonly pid: Pid;
  readonly name: Name | undefined;
  /** The machine's state value; `open` and the like for a port. */
  readonly state: unknown;
  /** In order of start. */
  readonly children: readonly ProcessTree[];
}

export function treeOf(parent: Entry): readonly ProcessTree[] {
  return [...parent.children()]
    .sort((one, other) => one.order - other.order)
    .map((entry) => ({ id: entry.id, pid: entry.pid, name: firstOf(entry.names), state: entry.behaviour.state(entry), children: treeOf(entry) }));
}

/** One line per process: its id, its pid and its state. */
export function printTree(roots: readonly ProcessTree[]): string {
  return roots.flatMap((root) => [lineOf(root), ...linesBelow(root, '')]).join('\n');
}

function linesBelow({ children }: ProcessTree, indent: string): string[] {
  return children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    const below = linesBelow(child, `${indent}${isLast ? '   ' : '│  '}`);
    return [`${indent}${isLast ? '└─ ' : '├─ '}${lineOf(child)}`, ...below];
  });
}

function lineOf({ id, pid, state }: ProcessTree): string {
  return `${id} ${pid} ${typeof state === 'string' ? state : JSON.stringify(state)}`;
}
