/** A query that came lately is known again, and what is kept of all of them is bounded by what it takes. */
import { expect, test } from 'vitest';
import { KnownQueries } from '../../src/http/known-queries.ts';
import { ManualClock } from '../support/manual-clock.ts';

const COUNT = 1_600;

/** @returns of so many different queries, how many of the first ones are still known when all have come. */
function knownOf(queryOf: (number: number) => string): number {
  const queries = new KnownQueries(new ManualClock());
  const take = (number: number) => {
    const text = queryOf(number);
    return queries.take({ target: { query: text } as never, query: new URLSearchParams(text) });
  };
  const first = Array.from({ length: COUNT }, (_, number) => take(number));
  return first.filter((taken, number) => take(number) === taken).length;
}

const names = (count: number, form: (name: string) => string): string =>
  Array.from({ length: count }, (_, name) => form(name.toString(36))).join('&');

test('what came lately is known again, by the same objects', () => {
  expect(knownOf((number) => `table=items&where=id+%3D+${number}&offset=-1`)).toBe(COUNT);
});

test('one that is very long is taken apart each time', () => {
  expect(knownOf((number) => `table=items&where=id+%3D+${number}${'+'.repeat(4_096)}`)).toBe(0);
});

test.each([
  ['names', (name: string) => name],
  ['records', (name: string) => `${name}[a]`],
  ['lists', (name: string) => `${name}[]`],
])('of queries of very many %s few are kept', (_, form) => {
  expect(knownOf((number) => `z=${number}&${names(600, form)}`)).toBeLessThan(COUNT / 10);
});
