import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ALL, isThere, SECTIONS } from './catalogue.ts';
import { cataloguePage } from './catalogue-page.ts';

test('each case is held by tests that are there, or says why it cannot apply', () => {
  const unheld = ALL.filter(([, held]) => ('heldBy' in held ? held.heldBy.length === 0 : held.leftOut === ''));
  const missing = ALL.flatMap(([, held]) => ('heldBy' in held ? held.heldBy : [])).filter((held) => !isThere(held));

  expect({ unheld, missing }).toEqual({ unheld: [], missing: [] });
});

test('no number is missing, and each section has its own', () => {
  const ids = SECTIONS.map(({ cases }) => Object.keys(cases));
  const numbered = SECTIONS.map(({ id, cases }) =>
    Array.from(Object.keys(cases), (_, index) => `${id}-${String(index + 1).padStart(2, '0')}`),
  );

  expect({ ids, counts: ids.map(({ length }) => length) }).toEqual({ ids: numbered, counts: [59, 60, 25, 10] });
});

test('CATALOGUE.md says what the cases say: run `npm run catalogue` after a change', () => {
  const isUpToDate = readFileSync(new URL('CATALOGUE.md', import.meta.url), 'utf8') === cataloguePage();

  expect(isUpToDate).toBe(true);
});
