/** What `npm run charts` writes: the places of each machine's states and lines, the pictures, and the pages with them. */
import { readFileSync } from 'node:fs';
import type { PlacedChart, PlacedPart } from '../../src/observer/charts/placed-chart.ts';
import { svgOf } from '../../src/observer/charts/svg-chart.ts';
import { machines, type ChartedMachine } from '../support/actors/machines.ts';

export interface Page {
  readonly fileName: string;
  readonly text: string;
}

export const placedFolder = new URL('../../src/observer/charts/placed/', import.meta.url);

const DRAWN = 'Drawn from the machine by `npm run charts`; a test fails when it is out of date.';

/** @returns the chart of a machine as it was laid out last. */
export function placedOf(machine: string): PlacedChart {
  return JSON.parse(readFileSync(new URL(`${machine}.json`, placedFolder), 'utf8')) as PlacedChart;
}

/** @returns the files of docs/charts, from the places that were written before. */
export function pages(): readonly Page[] {
  return [listPage(), ...machines.flatMap((charted) => [machinePage(charted), ...pictures(charted)])];
}

function pictures({ machine }: ChartedMachine): readonly Page[] {
  return placedOf(machine.id).parts.map((part) => {
    const title = [machine.id, part.root].filter((name) => name !== '').join(': ');
    return { fileName: pictureOf(machine.id, part), text: svgOf(title, part) };
  });
}

function machinePage({ machine, purpose }: ChartedMachine): Page {
  const { parts } = placedOf(machine.id);
  const charts = parts.flatMap((part) => [
    ...(part.root === '' ? [] : [`## Inside \`${part.root}\``, '']),
    `![${altOf(part)}](${pictureOf(machine.id, part)})`,
    '',
  ]);
  return { fileName: `${machine.id}.md`, text: ['# ' + machine.id, '', purpose, '', ...charts, DRAWN, ''].join('\n') };
}

function altOf({ states }: PlacedPart): string {
  const named = states.filter(({ kind }) => kind !== 'start' && kind !== 'any');
  return `Statechart of ${named[0]?.lines[0]?.text ?? ''}, with ${named.length - 1} states in it`;
}

function pictureOf(machine: string, { root }: PlacedPart): string {
  return `${[machine, root].filter((name) => name !== '').join('.')}.svg`;
}

function listPage(): Page {
  const rows = machines.map(({ machine, purpose }) => `- [${machine.id}](${machine.id}.md): ${purpose}`);
  return { fileName: 'README.md', text: ['# The machines', '', ...rows, '', ...LEGEND, DRAWN, ''].join('\n') };
}

const LEGEND = [
  'How to read them: in blue what happens, `[in brackets]` on what condition, behind `/` what is done. What stands in a box happens',
  'without the state being left; `↻` leaves it and enters it again; `event → state` leads there, without a line where too many',
  'lead to one state. A dot leads to the first state, a thick frame is an end, a dashed one stands elsewhere, and `⤵` has its inside drawn',
  'below.',
  '',
];
