/** The page of the example: its own words, and its machines drawn between the marks that name them. */
import { readFileSync } from 'node:fs';
import type { AnyStateMachine } from 'xstate';
import { clientMachine } from '../../examples/supervised-counter/client.ts';
import { counterMachine } from '../../examples/supervised-counter/counter.ts';
import { mermaidOf } from './mermaid.ts';

export const examplePage = new URL('../../examples/supervised-counter/README.md', import.meta.url);

const machines: readonly AnyStateMachine[] = [counterMachine, clientMachine];

/** @returns the page with its charts as they should be. */
export function drawnExample(): string {
  return machines.reduce((text, machine) => withChart(text, machine), readFileSync(examplePage, 'utf8'));
}

function withChart(text: string, machine: AnyStateMachine): string {
  const begin = `<!-- chart: ${machine.id} -->\n`;
  const [before, rest = ''] = text.split(begin);
  const after = rest.slice(rest.indexOf('<!-- end of chart -->'));
  return `${before}${begin}\`\`\`mermaid\n${mermaidOf(machine)}\n\`\`\`\n${after}`;
}
