/** A counterexample as a message sequence chart in text: a column for each who takes part, a line for each thing that happens. */
import type { Note } from './draft.ts';
import type { Counterexample } from './search.ts';

const COLUMN_MIN = 14;

export function sequenceChart({ property, what, steps }: Counterexample): string {
  const notes = steps.flat();
  const parts = [...new Set(notes.flatMap(({ from, to }) => (from === undefined ? [to] : [from, to])).map(roleOf))];
  const width = Math.max(COLUMN_MIN, ...parts.map((part) => part.length + 2));
  const head = parts.map((part) => part.padEnd(width)).join('').trimEnd();
  return [`${property}: ${what}`, '', head, ...notes.map((note) => line(note, parts, width))].join('\n');
}

function line({ from, to, what }: Note, parts: readonly string[], width: number): string {
  const [begin, end] = [parts.indexOf(roleOf(from ?? to)), parts.indexOf(roleOf(to))];
  const bars = parts.map(() => '|'.padEnd(width)).join('');
  if (begin === end) return `${bars.slice(0, begin * width)}* ${what}`;
  const [left, right] = [Math.min(begin, end) * width, Math.max(begin, end) * width];
  const dashes = '-'.repeat(right - left - 2);
  const arrow = begin < end ? `${dashes}>` : `<${dashes}`;
  return `${bars.slice(0, left)}|${arrow}${bars.slice(right).trimEnd()}  ${what}`;
}

/** The processes of one role share a column. */
function roleOf(pid: string): string {
  return pid.replace(/#\d+$/, '');
}
