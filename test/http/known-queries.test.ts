/** A query that came lately is known again, and what is kept of all of them is bounded by what it takes. */
import { expect, test } from 'vitest';
import { KnownQueries } from '../../src/http/known-queries.ts';
import { ManualClock } from '../support/manual-clock.ts';

const COUNT = 1_600;
/** Of what is large, three times as many as are kept where each of their parameters counts. */
const LARGE_COUNT = 160;

/** @returns of so many different queries, how many are known when all have come: asked from the last on, as one that is not goes in. */
function knownOf(count: number, queryOf: (number: number) => string): number {
  const queries = new KnownQueries(new ManualClock());
  const take = (number: number) => {
    const text = queryOf(number);
    return queries.take({ target: { query: text } as never, query: new URLSearchParams(text) });
  };
  const first = Array.from({ length: count }, (_, number) => ({ number, taken: take(number) }));
  return first.reverse().filter(({ number, taken }) => take(number) === taken).length;
}

const names = (count: number, form: (name: string) => string): string =>
  Array.from({ length: count }, (_, name) => form(name.toString(36))).join('&');

test('what came lately is known again, by the same objects', () => {
  expect(knownOf(COUNT, (number) => `table=items&where=id+%3D+${number}&offset=-1`)).toBe(COUNT);
});

test('one that is very long is taken apart each time', () => {
  expect(knownOf(COUNT, (number) => `table=items&where=id+%3D+${number}${'+'.repeat(4_096)}`)).toBe(0);
});

test.each([
  ['names', (name: string) => name],
  ['records', (name: string) => `${name}[a]`],
  ['lists', (name: string) => `${name}[]`],
])('of queries of very many %s few are kept', (_, form) => {
  expect(knownOf(LARGE_COUNT, (number) => `z=${number}&${names(600, form)}`)).toBeLessThan(LARGE_COUNT / 3);
});
