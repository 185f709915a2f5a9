/** Regular expressions against Postgres itself: one that is read matches what it matches there. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { regularExpression } from '../../src/sql/patterns/regular-expression.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';

const PATTERNS = 6000;

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(async () => {
  await database.drop();
});

const joined = (pieces: readonly string[], size: { readonly minLength?: number; readonly maxLength: number }) => {
  return fc.array(fc.constantFrom(...pieces), size).map((parts) => parts.join(''));
};
const pattern = joined([
  'a', 'b', 'A', 'é', '.', '^', '$', '(', '(?:', '(?i)', ')', '|', '*', '+', '?', '{2}', '{1,3}', '{0,}', '{,2}', '[ab]', '[^a]', '[a-c]',
  '[a-A]', '[[:alpha:]]', '\\.', '\\d', '\\1', '-', ' ', '\n', '{', '}', ']', '[', '1',
  '\\w', '\\S', '\\D', '\\s', '[[:digit:]a]', '[^[:space:][:upper:]]', '[\\w-]', '[\\d.]', '[[:lower:]', '*?', '+?', '??', '{1,2}?',
  '[[:xdigit:]]', '[[:blank:]]', '[[:alnum:]-z]', '[[:word:]]', '_',
], { minLength: 1, maxLength: 9 });
const text = joined([
  'a', 'b', 'c', 'A', 'B', 'é', 'É', '.', ' ', '\n', '1', '-', '\u{1d4b3}', '\u212a', '_', '\t', '\u0663', '\u00a0', '\u0085',
], { maxLength: 7 });
const texts = fc.array(text, { minLength: 3, maxLength: 6 });

test.each([['~', false], ['~*', true]] as const)('a pattern that is read matches what %s matches in Postgres', async (sign, ignoreCase) => {
  const seen = fc.sample(fc.tuple(pattern, texts), { numRuns: PATTERNS, seed: 20_240_229 });
  const read = seen.flatMap(([written, samples]) => {
    const matches = regularExpression(written, ignoreCase, true);
    return matches === undefined ? [] : samples.map((text) => ({ written, text, isMatch: matches(text) }));
  });
  const rows = await database.query<{ is_match: boolean }>(
    `SELECT text COLLATE "C" ${sign} written AS is_match FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given (written, text, place)
     ORDER BY place`,
    [read.map(({ written }) => written), read.map(({ text }) => text)],
  );
  const unlike = read.filter(({ isMatch }, at) => isMatch !== rows[at]?.is_match);
  expect({ unlike, areMany: read.length > 1000 }).toEqual({ unlike: [], areMany: true });
});

test.each(['(a*)*b', '(a|a)*b', '(a?){200}a{200}b'])('%s takes no longer than its steps for a text of many', (written) => {
  const startMs = systemClock.nowMs();
  const isMatch = regularExpression(written, false)?.('a'.repeat(2000));
  expect({ isMatch, isPrompt: systemClock.nowMs() - startMs < 5000 }).toEqual({ isMatch: false, isPrompt: true });
});

test.each([
  '', '\\d', '(a)\\1', '(?i)a', '[[:alpha:]]', 'a*??', 'a|', '*a', 'a**', '^*', '[z-a]', '[z-ab]', '[]', '[]a]', '[^]a]',
  'a{256}', 'a{256,}', 'a{2,1}', 'a{100200}', '(a{255}){255}', '(', '[',
])('%s is not read', (written) => {
  expect(regularExpression(written, false)).toBeUndefined();
});

test('what lies deeper in brackets than anybody writes is not read', () => {
  const [within, beyond] = [100, 30_000].map((depth) => regularExpression(`${'('.repeat(depth)}a${')'.repeat(depth)}`, false));
  expect([within?.('a'), beyond]).toEqual([true, undefined]);
});
