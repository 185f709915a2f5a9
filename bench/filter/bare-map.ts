/**
 * What a look-up costs that is nothing but one: of a text that was just read, in a map of as many objects, each of which then notes it.
 * Memory that no cache holds is dearer, whoever asks for it: how much dearer is the limit that a router's growth is set against.
 */
import type { Row } from './report.ts';

const ROUNDS = 5;

/** @param counts of objects, in ascending order. */
export function* bareMap(counts: readonly number[], changes: number): Iterable<Row> {
  let fewest: number | undefined;
  for (const count of counts) {
    const measured = microsPerLookup(count, changes);
    fewest ??= measured;
    const against = { what: `${counts[0]} texts`, figure: fewest };
    yield { what: `a map of ${count} texts, each look-up another’s`, measured, unit: 'µs', against };
  }
}

function microsPerLookup(count: number, changes: number): number {
  const found = new Map(Array.from({ length: count }, (_, index) => [textOf(index), { notes: [] as number[] }]));
  const asked = Array.from({ length: changes }, (_, index) => Buffer.from(textOf((index * 7919) % count)));
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (const [index, bytes] of asked.entries()) found.get(bytes.toString('latin1'))?.notes.push(index);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / changes);
    for (const { notes } of found.values()) notes.length = 0;
  }
  return best;
}

function textOf(index: number): string {
  return `owner ${index}`;
}
