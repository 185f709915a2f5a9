/** `armature explain`, over HTTP, with the form that docs/explain.md states. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runTool } from '../support/commands/run-tool.ts';
import { ToldService } from '../support/commands/told-service.ts';

const moved = {
  verdict: { code: 'moved_out', message: 'The row has left the shape with what a subquery selects.' },
  in_shape: false,
  filter: {
    result: 'false',
    root: {
      text: '(("project_id" IN (SELECT …)) IS TRUE)', result: 'false', asked: true,
      parts: [
        { text: '"project_id"', result: 'value', value: '\u001b[2J3', asked: true },
        { text: '"size" > 3', result: 'unknown', asked: false },
      ],
    },
  },
  subqueries: [{ subquery: 0, table: '"public"."projects"', left: '3', selected: false, selected_now: null, turned: null }],
  log: { looked_from: '-1', entries: [{ offset: '0_0', message: { headers: { operation: 'insert' } } }], entries_left_out: 0 },
};
const refused = { message: 'Invalid request', errors: { table: ['is no table'] } };
let service: ToldService;
let url: string;

beforeEach(async () => {
  service = new ToldService({
    '/v1/shape/explain': (query) => (query.get('table') === 'gone' ? { status: 400, body: refused } : { body: moved }),
  });
  url = await service.start();
});

afterEach(() => service.stop());

test('says the verdict, the filter part by part, subqueries and the log', async () => {
  const row = ['--pk', '{"id":"7"}', '--secret', 'word'];
  const shape = ['--table', 'issues', '--where', 'project_id IN (SELECT 1)', '--params=["7"]', '--log=full', '--move-outs', 'deletes'];

  const { code, printed } = await runTool(['explain', '--url', url, ...shape, ...row]);

  expect({ code, lines: printed.split('\n'), asked: service.asked.map((request) => decodeURIComponent(request.url)) }).toEqual({
    code: 0,
    lines: [
      'The row has left the shape with what a subquery selects. (moved_out)',
      '',
      'Filter:',
      '  (("project_id" IN (SELECT …)) IS TRUE) → false',
      '    "project_id" → \\u{1b}[2J3',
      '    ("size" > 3 → unknown)',
      '',
      'Subqueries:',
      '  "3" of "public"."projects": taken by the shape no, selected now not known',
      '',
      'Log, looked through from -1:',
      '  0_0  {"headers":{"operation":"insert"}}',
      '',
    ],
    asked: ['/v1/shape/explain?table=issues&where=project_id+IN+(SELECT+1)&log=full&move_outs=deletes&pk={"id":"7"}&params[1]=7'],
  });
});

test('gives what the service says as JSON, also of a shape by its handle', async () => {
  const { printed } = await runTool(['explain', '--url', url, '--handle', '1-2', '--key', '"public"."issues"/"7"', '--json']);

  expect(JSON.parse(printed)).toEqual(moved);
});

test('tells what the service has against the question', async () => {
  const { code, complaints } = await runTool(['explain', '--url', url, '--table', 'gone', '--row', '{}']);

  expect({ code, complaints }).toEqual({
    code: 1,
    complaints: ['The service answers 400: Invalid request. {"table":["is no table"]}'],
  });
});

test.each([
  [['--table', 'issues'], /^Name the shape/],
  [['--pk', '{}'], /^Name the shape/],
  [['--table', 'issues', '--pk', '{}', '--row', '{}'], /^Name the shape/],
  [['--table', 'issues', '--pk', '{}', '--params', '7'], /^--params must be/],
])('%j is a misuse', async (words, sentence) => {
  expect(await runTool(['explain', ...words])).toMatchObject({ code: 2, complaints: [expect.stringMatching(sentence)] });
});
