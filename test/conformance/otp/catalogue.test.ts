import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cataloguePage } from './catalogue-page.ts';
import { casesOf, idsOf, readTests, SECTIONS } from './catalogue.ts';

test('each case of the list has a test or a reason to be left out, and not both', () => {
  const tests = readTests();

  const wrong = SECTIONS.flatMap((section) => casesOf(section, tests)).filter(
    (held) => held.tests.length > 0 === (held.reason !== undefined),
  );

  expect(wrong.map(({ id }) => id)).toEqual([]);
});

test('no test and no reason is for a case that is not in the list', () => {
  const known = SECTIONS.flatMap(idsOf);

  const named = [...readTests().keys(), ...SECTIONS.flatMap(({ leftOut }) => Object.keys(leftOut))];

  expect(named.filter((id) => !known.includes(id))).toEqual([]);
});

test('the list has 405 cases', () => {
  expect(SECTIONS.flatMap(idsOf).length).toBe(405);
});

test('CATALOGUE.md says what the tests say: run `npm run catalogue` after a change', () => {
  const isUpToDate = readFileSync(new URL('CATALOGUE.md', import.meta.url), 'utf8') === cataloguePage();

  expect(isUpToDate).toBe(true);
});
