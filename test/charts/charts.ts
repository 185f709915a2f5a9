/** The pages of docs/charts: one per machine, drawn from the machine, and a list of them. */
import { machines, type ChartedMachine } from '../support/actors/machines.ts';
import { mermaidOf } from './mermaid.ts';

export interface Page {
  readonly fileName: string;
  readonly text: string;
}

const DRAWN = 'Drawn from the machine by `npm run charts`; a test fails when it is out of date.';

export function pages(): readonly Page[] {
  return [listPage(), ...machines.map(machinePage)];
}

function machinePage({ machine, purpose }: ChartedMachine): Page {
  const text = ['# ' + machine.id, '', purpose, '', '```mermaid', mermaidOf(machine), '```', '', DRAWN, ''].join('\n');
  return { fileName: `${machine.id}.md`, text };
}

function listPage(): Page {
  const rows = machines.map(({ machine, purpose }) => `- [${machine.id}](${machine.id}.md): ${purpose}`);
  return { fileName: 'README.md', text: ['# The machines', '', ...rows, '', DRAWN, ''].join('\n') };
}
