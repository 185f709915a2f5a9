/** `npm run charts`: lays every machine out, draws it into docs/charts, and the example's into its page. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { placedChart } from '../../src/observer/charts/elk-layout.ts';
import { graphOf } from '../../src/observer/charts/machine-graph.ts';
import { placedText } from '../../src/observer/charts/placed-text.ts';
import { machines } from '../support/actors/machines.ts';
import { pages, placedFolder } from './charts.ts';
import { elk } from './elk.ts';
import { drawnExample, examplePage } from './example-page.ts';

const folder = new URL('../../docs/charts/', import.meta.url);

for (const emptied of [folder, placedFolder]) {
  rmSync(emptied, { recursive: true, force: true });
  mkdirSync(emptied, { recursive: true });
}
for (const { machine } of machines) {
  const text = placedText(await placedChart(graphOf(machine), elk));
  writeFileSync(new URL(`${machine.id}.json`, placedFolder), text);
}
for (const { fileName, text } of pages()) writeFileSync(new URL(fileName, folder), text);
writeFileSync(examplePage, drawnExample());
