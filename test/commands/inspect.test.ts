/** `armature inspect`, over HTTP. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runTool } from '../support/commands/run-tool.ts';
import { ToldService } from '../support/commands/told-service.ts';

const node = (id: string, fields: object = {}, children: readonly object[] = []): object => ({
  type: 'process', pid: id, id, label: null, state: 'up.resting', mailbox: 0, restarts: 0, children, ...fields,
});
const consumers = {
  type: 'population', supervisor: 'stack/consumers', kind: 'consumer', count: 4812, byState: { live: 4810, awaitingSnapshot: 2 },
  mailboxMax: 3, mailboxSum: 9, restarts: 0, memoryBytes: 4_200_000, hibernating: 4000, machine: 'consumer',
};
const tree = {
  atMs: 0,
  processes: 4815,
  roots: [
    node('stack', {}, [
      node('consumers', { restarts: 1 }, [consumers]),
      node('http', { state: 'listening', mailbox: 4, label: '\u001b[2J' }),
    ]),
  ],
};
let service: ToldService;
let url: string;

beforeEach(async () => {
  service = new ToldService({ '/_observer/api/tree': () => ({ body: tree }) });
  url = await service.start();
});

afterEach(() => service.stop());

test('draws the tree, many of a kind in one line, and says where to look at it live', async () => {
  const { code, printed } = await runTool(['inspect', '--url', url]);

  expect({ code, lines: printed.split('\n') }).toEqual({
    code: 0,
    lines: [
      `Observer: ${url}/_observer`,
      '4815 processes',
      '',
      'stack  up.resting',
      '├─ consumers  up.resting  restarts 1',
      '│  └─ 4812 × consumer: 4810 live, 2 awaitingSnapshot  longest mailbox 3  4.2 MB',
      '└─ http  \\u{1b}[2J  listening  mailbox 4',
      '',
    ],
  });
});

test('gives what the service says as JSON', async () => {
  const { printed } = await runTool(['inspect', '--url', url, '--json']);

  expect(JSON.parse(printed)).toEqual(tree);
});
