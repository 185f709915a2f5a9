/** Whoever reads of a race finds the control in which it is open. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { controlSettings } from './systems.ts';

test('docs/races.md names each control', () => {
  const page = readFileSync(new URL('../../docs/races.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');

  expect(controlSettings.map(({ control }) => control).filter((name) => !page.includes(name))).toEqual([]);
});
