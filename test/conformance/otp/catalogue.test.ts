import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sectionPart } from './catalogue-page.ts';
import { casesOf, idsOf, readTests, SECTIONS, WHOLE } from './catalogue.ts';

const underCheck = SECTIONS.filter(({ id }) => WHOLE.includes(id));

test('each case of a whole section has a test or a reason to be left out, and not both', () => {
  const wrong = underCheck.flatMap((section) => casesOf(section).filter(({ tests, reason }) => (tests.length > 0) === (reason !== undefined)));

  expect(wrong).toEqual([]);
});

test('no test and no reason is for a case that is not in the list', () => {
  const known = SECTIONS.flatMap(idsOf);

  const named = [...readTests().keys(), ...SECTIONS.flatMap(({ leftOut }) => Object.keys(leftOut))];

  expect(named.filter((id) => !known.includes(id))).toEqual([]);
});

test('CATALOGUE.md says what the tests say: run `npm run catalogue` after a change', () => {
  const page = readFileSync(new URL('CATALOGUE.md', import.meta.url), 'utf8');

  const outOfDate = underCheck.filter((section) => !page.includes(sectionPart(section)));

  expect(outOfDate.map(({ id }) => id)).toEqual([]);
});
