import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { placedChart } from '../../src/observer/charts/elk-layout.ts';
import { fingerprintOf, graphOf, type GraphState } from '../../src/observer/charts/machine-graph.ts';
import { placedText } from '../../src/observer/charts/placed-text.ts';
import { statusMonitor } from '../../src/actors/status-monitor.ts';
import { machines } from '../support/actors/machines.ts';
import { elk } from './elk.ts';
import { pages, placedFolder, placedOf } from './charts.ts';
import { drawnExample, examplePage } from './example-page.ts';

const source = new URL('../../src/', import.meta.url);
const folder = new URL('../../docs/charts/', import.meta.url);

/** GitHub shows what is wider smaller than it is. */
const WIDTH_MAX = 1200;
/** Its ingestion has more lines between its states than any page is wide. */
const TOO_WIDE = ['consumer running.ingest'];

test('docs/charts shows the charts as they were laid out: run `npm run charts` after a change', () => {
  const drawn = Object.fromEntries(readdirSync(folder).map((fileName) => [fileName, readFileSync(new URL(fileName, folder), 'utf8')]));

  expect(drawn).toEqual(Object.fromEntries(pages().map(({ fileName, text }) => [fileName, text])));
});

test('each machine was laid out as it is now: run `npm run charts` after a change', () => {
  const wanted = machines.map(({ machine }) => [machine.id, fingerprintOf(graphOf(machine))]);

  const placed = readdirSync(placedFolder).map((fileName) => placedOf(fileName.replace(/\.json$/, '')));

  expect(Object.fromEntries(placed.map(({ machine, fingerprint }) => [machine, fingerprint]))).toEqual(Object.fromEntries(wanted));
});

test('laying a machine out again gives the same places', async () => {
  const text = placedText(await placedChart(graphOf(statusMonitor), elk));

  expect(text).toBe(readFileSync(new URL('status-monitor.json', placedFolder), 'utf8'));
});

test('every state of a machine stands in its chart', () => {
  const missing = machines.flatMap(({ machine }) => {
    const placed = new Set(placedOf(machine.id).parts.flatMap(({ states }) => states.map(({ id }) => id)));
    return idsOf(graphOf(machine).root).filter((id) => !placed.has(id));
  });

  expect(missing).toEqual([]);
});

test('a chart is no wider than a page', () => {
  const parts = machines.flatMap(({ machine }) => placedOf(machine.id).parts.map((part) => ({ machine, ...part })));

  expect(parts.filter(({ width }) => width > WIDTH_MAX).map(({ machine, root }) => `${machine.id} ${root}`)).toEqual(TOO_WIDE);
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

function idsOf({ id, children }: GraphState): readonly string[] {
  return [id, ...children.flatMap(idsOf)];
}
