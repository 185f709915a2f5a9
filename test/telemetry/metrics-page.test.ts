/** The page of the metrics lists what the catalogue has. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawnPage, metricsPage } from './metrics-page.ts';

const page = readFileSync(metricsPage, 'utf8');

test('docs/metrics.md lists the metrics that there are: run `npm run metrics-page` after a change', () => {
  expect(page).toBe(drawnPage(page));
});

test('no line of it is longer than 140 columns', () => {
  expect(page.split('\n').filter((line) => line.length > 140)).toEqual([]);
});
