/** A counterexample as a message sequence chart in text: a column for each who takes part, a line for each thing that happens. */
import type { Note } from './note.ts';
import type { Counterexample } from './search.ts';

/** From one column to another, or a star in one. */
interface Arrow {
  readonly from?: string;
  readonly to: string;
  readonly what: string;
}

export function sequenceChart({ property, what, steps }: Counterexample): string {
  const notes = steps.flat().map(arrowOf);
  const parts = [...new Set(notes.flatMap(({ from, to }) => (from === undefined ? [to] : [from, to])).map(roleOf))];
  const head = parts.map((part) => `${part}  `).join('').trimEnd();
  return [`${property}: ${what}`, '', head, ...notes.map((note) => line(note, parts))].join('\n');
}

function line({ from, to, what }: Arrow, parts: readonly string[]): string {
  const [begin, end] = [parts.indexOf(roleOf(from ?? to)), parts.indexOf(roleOf(to))];
  const bars = parts.map((part) => '|'.padEnd(part.length + 2)).join('');
  const columnOf = (part: number): number => parts.slice(0, part).reduce((sum, { length }) => sum + length + 2, 0);
  if (begin === end) return `${bars.slice(0, columnOf(begin))}* ${what}`;
  const [left, right] = [columnOf(Math.min(begin, end)), columnOf(Math.max(begin, end))];
  const dashes = '-'.repeat(right - left - 2);
  const arrow = begin < end ? `${dashes}>` : `<${dashes}`;
  return `${bars.slice(0, left)}|${arrow}${bars.slice(right).trimEnd()}  ${what}`;
}

function arrowOf(note: Note): Arrow {
  if ('deliver' in note) return { from: note.from, to: note.to, what: note.deliver };
  if ('goOn' in note) return { to: note.role, what: `(${note.goOn})` };
  if ('happen' in note) return { to: 'world', what: note.happen };
  if ('kill' in note) return { to: note.kill, what: 'is killed' };
  if ('timeout' in note) return { to: note.role, what: `time-out ${note.timeout}` };
  if ('silence' in note) return { to: note.role, what: `silence of ${note.silence}` };
  return { to: note.end, what: `ends: ${JSON.stringify(note.reason)}` };
}

/** The processes of one role share a column. */
function roleOf(pid: string): string {
  return pid.replace(/#\d+$/, '');
}
