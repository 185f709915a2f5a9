/** The tree of living processes: a snapshot for people and tests. */
import { firstOf } from './kernel/registry.ts';
import type { Entry } from './kernel/entry.ts';
import type { Name, Pid } from './process.ts';

/** A process with all that is below it. */
export interface ProcessTree {
  /** The last part of its path, without its number. */
  readonly id: string;
  /** Its address. */
  readonly pid: Pid;
  /** Of its specification, or the first that it registered. */
  readonly name: Name | undefined;
  /** The machine's state value; `open` and the like for a port. */
  readonly state: unknown;
  /** In order of start. */
  readonly children: readonly ProcessTree[];
}

/** Without recursion: a chain of processes may be deeper than the stack. */
export function treeOf(top: Entry): readonly ProcessTree[] {
  const roots: ProcessTree[] = [];
  const parents = [{ parent: top, children: roots }];
  for (let next = parents.pop(); next !== undefined; next = parents.pop()) {
    for (const entry of [...next.parent.children()].sort((one, other) => one.order - other.order)) {
      const children: ProcessTree[] = [];
      const { id, pid, names, behaviour } = entry;
      next.children.push({ id, pid, name: firstOf(names), state: behaviour.state(entry), children });
      parents.push({ parent: entry, children });
    }
  }
  return roots;
}

/** One line per process: its id, its pid and its state. */
export function printTree(roots: readonly ProcessTree[]): string {
  const lines: string[] = [];
  const branches = roots.map((tree) => ({ tree, toIt: '', belowIt: '' })).reverse();
  for (let branch = branches.pop(); branch !== undefined; branch = branches.pop()) {
    const { tree, toIt, belowIt } = branch;
    lines.push(`${toIt}${lineOf(tree)}`);
    const last = tree.children.at(-1);
    for (const child of [...tree.children].reverse()) {
      const [toChild, belowChild] = child === last ? ['└─ ', '   '] : ['├─ ', '│  '];
      branches.push({ tree: child, toIt: `${belowIt}${toChild}`, belowIt: `${belowIt}${belowChild}` });
    }
  }
  return lines.join('\n');
}

function lineOf({ id, pid, state }: ProcessTree): string {
  return `${id} ${pid} ${typeof state === 'string' ? state : JSON.stringify(state)}`;
}
