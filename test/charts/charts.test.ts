import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pages } from './charts.ts';

const folder = new URL('../../docs/charts/', import.meta.url);

test('docs/charts shows the machines as they are: run `npm run charts` after a change', () => {
  const drawn = Object.fromEntries(readdirSync(folder).map((fileName) => [fileName, readFileSync(new URL(fileName, folder), 'utf8')]));

  expect(drawn).toEqual(Object.fromEntries(pages().map(({ fileName, text }) => [fileName, text])));
});
