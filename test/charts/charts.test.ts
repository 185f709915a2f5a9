import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pages } from './charts.ts';
import { drawnExample, examplePage } from './example-page.ts';
import { machines } from '../support/actors/machines.ts';

const source = new URL('../../src/', import.meta.url);
const folder = new URL('../../docs/charts/', import.meta.url);

test('docs/charts shows the machines as they are: run `npm run charts` after a change', () => {
  const drawn = Object.fromEntries(readdirSync(folder).map((fileName) => [fileName, readFileSync(new URL(fileName, folder), 'utf8')]));

  expect(drawn).toEqual(Object.fromEntries(pages().map(({ fileName, text }) => [fileName, text])));
});

test('the example shows its machines as they are', () => {
  expect(readFileSync(examplePage, 'utf8')).toBe(drawnExample());
});

test('every machine in the source is drawn', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((fileName) => fileName.endsWith('.ts'));
  const texts = files.map((fileName) => readFileSync(new URL(fileName, source), 'utf8'));

  const ids = texts.flatMap((text) => [...text.matchAll(/createMachine\(\{\s*id: '([\w-]+)'/g)].map(([, id]) => id));

  expect(ids.sort()).toEqual(machines.map(({ machine }) => machine.id).sort());
});
