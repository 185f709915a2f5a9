/** A counterexample as a message sequence chart in text: a column for each who takes part, a line for each thing that happens. */
import type { Note } from './draft.ts';
import type { Counterexample } from './search.ts';

export function sequenceChart({ property, what, steps }: Counterexample): string {
  const notes = steps.flat();
  const parts = [...new Set(notes.flatMap(({ from, to }) => (from === undefined ? [to] : [from, to])).map(roleOf))];
  const head = parts.map((part) => `${part}  `).join('').trimEnd();
  return [`${property}: ${what}`, '', head, ...notes.map((note) => line(note, parts))].join('\n');
}

function line({ from, to, what }: Note, parts: readonly string[]): string {
  const [begin, end] = [parts.indexOf(roleOf(from ?? to)), parts.indexOf(roleOf(to))];
  const bars = parts.map((part) => '|'.padEnd(part.length + 2)).join('');
  const columnOf = (part: number): number => parts.slice(0, part).reduce((sum, { length }) => sum + length + 2, 0);
  if (begin === end) return `${bars.slice(0, columnOf(begin))}* ${what}`;
  const [left, right] = [columnOf(Math.min(begin, end)), columnOf(Math.max(begin, end))];
  const dashes = '-'.repeat(right - left - 2);
  const arrow = begin < end ? `${dashes}>` : `<${dashes}`;
  return `${bars.slice(0, left)}|${arrow}${bars.slice(right).trimEnd()}  ${what}`;
}

/** The processes of one role share a column. */
function roleOf(pid: string): string {
  return pid.replace(/#\d+$/, '');
}
