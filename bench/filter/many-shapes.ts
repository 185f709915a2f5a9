/** The same change among ten shapes, among a thousand, and among all: what it costs must not grow with their number. */
import type { Where, WhereLanguage } from '../../src/sql/where.ts';
import type { Row } from './report.ts';
import { accepted, FAMILIES, rowOf, type Family } from './families.ts';
import { blocksOf, filledRouter, heapBytes, microsPerChange } from './routing.ts';

/** So many shapes are concerned, whatever number there are: then each time the same lies in the processor's caches. */
const CONCERNED = 10;
/** So many are asked one after the other, where they are not looked up. */
const ASKED_MAX = 1000;
const ASKED_CHANGES_MAX = 1000;
/** Of fewer shapes the heap tells nothing. */
const WEIGHED_MIN = 1000;

/** @param counts of shapes, in ascending order. */
export function* manyShapes(language: WhereLanguage, counts: readonly number[], changes: number): Iterable<Row> {
  for (const family of FAMILIES) {
    yield* lookedUp(language, family, counts, changes);
    const asked = Math.min(ASKED_MAX, counts.at(-1) ?? 0);
    const filters = filtersOf(language, family, asked).map((where) => ({ ...where, lookups: undefined }));
    const rows = Math.min(ASKED_CHANGES_MAX, changes);
    const measured = microsPerChange(filledRouter(filters).router, blocksOf(rowsFor(asked, rows, CONCERNED)), rows, rows);
    yield { what: `${family.what}, ${asked} shapes, each of them asked`, measured, unit: 'µs' };
  }
}

function* lookedUp(language: WhereLanguage, family: Family, counts: readonly number[], changes: number): Iterable<Row> {
  let fewest: number | undefined;
  for (const count of counts) {
    const before = heapBytes();
    const filters = filtersOf(language, family, count);
    const filterBytes = (heapBytes() - before) / count;
    const { router, bytesPerShape } = filledRouter(filters);
    const weight = `${Math.round(bytesPerShape)} B in the router for each, ${Math.round(filterBytes)} B for its filter`;
    const measure = (concerned: number) => microsPerChange(router, blocksOf(rowsFor(count, changes, concerned)), changes, changes);
    const measured = measure(CONCERNED);
    fewest ??= measured;
    const row = { unit: 'µs', against: { what: `${counts[0]} shapes`, figure: fewest } };
    yield { ...row, what: `${family.what}, ${count} shapes`, measured, ...(count < WEIGHED_MIN ? {} : { detail: weight }) };
    if (count > CONCERNED) yield { ...row, what: `${family.what}, ${count} shapes, each change another’s`, measured: measure(count) };
  }
}

function filtersOf(language: WhereLanguage, { filter }: Family, count: number): readonly Where[] {
  return Array.from({ length: count }, (_, shape) => accepted(language, filter(shape)));
}

/** Of shapes all over the range. */
function rowsFor(shapes: number, changes: number, concerned: number): readonly (readonly string[])[] {
  return Array.from({ length: changes }, (_, index) => rowOf(((index % concerned) * 7919) % shapes));
}
