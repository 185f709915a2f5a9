/** `armature inspect`: the supervision tree of a running service, with many of a kind in one line, and where to look at it live. */
import * as z from 'zod';
import { printable } from '../base/printable-text.ts';
import { byteText } from './columns.ts';
import type { CommandContext, ToolCommand } from './command.ts';
import { JSON_FLAG } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { askService, NO_OBSERVER, serviceAddress, SERVICE_FLAGS } from './service-client.ts';
import { jsonLine, refused } from './terminal.ts';

export const inspectCommand: ToolCommand = {
  name: 'inspect',
  summary: 'show the processes of a running service, and where its observer is',
  flags: [...SERVICE_FLAGS, JSON_FLAG],
  run: inspect,
};

const counts = { mailboxMax: z.number(), restarts: z.number(), memoryBytes: z.number() };
const population = z.object({
  type: z.literal('population'),
  kind: z.string(),
  count: z.number(),
  byState: z.record(z.string(), z.number()),
  ...counts,
});
const single = z.object({
  type: z.literal('process'),
  id: z.string(),
  label: z.string().nullable(),
  state: z.string(),
  mailbox: z.number(),
  restarts: z.number(),
  get children() {
    return z.array(z.discriminatedUnion('type', [single, population]));
  },
});
const tree = z.object({ processes: z.number(), roots: z.array(z.discriminatedUnion('type', [single, population])) });

type TreeNode = z.output<typeof single> | z.output<typeof population>;

async function inspect(context: CommandContext): Promise<ExitCode> {
  const { flags, terminal } = context;
  const address = serviceAddress(context);
  if ('problems' in address) return refused(terminal, address.problems, EXIT.misused);
  const answer = await askService(address, { path: '/_observer/api/tree', query: {}, form: tree, whenMissing: NO_OBSERVER });
  if ('problems' in answer) return refused(terminal, answer.problems, EXIT.failed);
  if (flags['json'] !== undefined) {
    terminal.print(jsonLine(answer.body));
    return EXIT.done;
  }
  const { processes, roots } = answer.view;
  const lines = roots.flatMap((root) => treeLines(root, '', ''));
  terminal.print(`${[`Observer: ${address.url}/_observer`, `${processes} processes`, '', ...lines].join('\n')}\n`);
  return EXIT.done;
}

/** @param lead stands before the node itself, @param indent before what is below it. */
function treeLines(node: TreeNode, lead: string, indent: string): readonly string[] {
  const line = `${lead}${printable(node.type === 'process' ? processText(node) : populationText(node))}`;
  if (node.type === 'population') return [line];
  const below = node.children.flatMap((child, index) => {
    const isLast = index === node.children.length - 1;
    return treeLines(child, `${indent}${isLast ? '└─ ' : '├─ '}`, `${indent}${isLast ? '   ' : '│  '}`);
  });
  return [line, ...below];
}

function processText({ id, label, state, mailbox, restarts }: z.output<typeof single>): string {
  const extra = [mailbox > 0 ? `mailbox ${mailbox}` : '', restarts > 0 ? `restarts ${restarts}` : ''].filter((text) => text !== '');
  return [id, ...(label === null ? [] : [label]), state, ...extra].join('  ');
}

/** Their states, most frequent first, as the service orders them. */
function populationText({ kind, count, byState, mailboxMax, restarts, memoryBytes }: z.output<typeof population>): string {
  const states = Object.entries(byState).map(([state, number]) => `${number} ${state}`).join(', ');
  const extra = [mailboxMax > 0 ? `longest mailbox ${mailboxMax}` : '', restarts > 0 ? `restarts ${restarts}` : '', byteText(memoryBytes)];
  return [`${count} × ${kind}: ${states}`, ...extra.filter((text) => text !== '')].join('  ');
}
