/** `armature shapes`, over HTTP: what it lists, how it turns pages, and what it says when there is no list. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runTool } from '../support/commands/run-tool.ts';
import { ToldService } from '../support/commands/told-service.ts';

const SHAPES = 2500;

function shape(index: number, fields: object = {}): object {
  return {
    handle: `${index}-7`, table: 'public.issues', where: `id > ${index}`, columns: null, offset: '0_0', snapshot: 'complete', state: 'live',
    isInner: false, bytes: 1234567, clients: 2, lagBytes: 0, sinceMs: 0, ...fields,
  };
}

const hostile = { table: 'public."a\u001b[2J<script>"', where: null, snapshot: 'writing', bytes: null, lagBytes: 2048 };
let service: ToldService;
let url: string;

beforeEach(async () => {
  service = new ToldService({
    '/_observer/api/shapes': (query) => {
      const from = Number(query.get('after') ?? 0);
      const to = Math.min(SHAPES, from + Number(query.get('limit')));
      const rows = Array.from({ length: to - from }, (_, index) => shape(from + index, from + index === 1 ? hostile : {}));
      return { body: { matched: SHAPES, total: SHAPES, rows, next: to === SHAPES ? null : String(to) } };
    },
  });
  url = await service.start();
});

afterEach(() => service.stop());

test('lists shapes in columns, says how many are left, and lets no name move the cursor', async () => {
  const { code, printed } = await runTool(['shapes', '--url', `${url}/`, '--limit', '2', '--secret=word']);

  expect({ code, lines: printed.split('\n'), asked: service.asked }).toEqual({
    code: 0,
    lines: [
      'HANDLE  TABLE                        WHERE   OFFSET  STATE              BYTES  CLIENTS     LAG',
      '0-7     public.issues                id > 0  0_0     live              1.2 MB        2       -',
      '1-7     public."a\\u{1b}[2J<script>"          0_0     snapshot writing       -        2  2.0 kB',
      '2498 more: --limit and --search say which',
      '',
    ],
    asked: [{ url: '/_observer/api/shapes?limit=2', authorization: 'Bearer word' }],
  });
});

test('turns pages up to the limit, as JSON with all that the service says', async () => {
  const { printed } = await runTool(['shapes', '--url', url, '--json', '--limit=2100', '--search', 'is&su', '--sort', 'lag']);

  const { matched, rows } = JSON.parse(printed) as { matched: number; rows: { handle: string; isInner: boolean }[] };
  expect({ matched, count: rows.length, last: rows.at(-1), asked: service.asked.map((request) => request.url) }).toEqual({
    matched: SHAPES,
    count: 2100,
    last: shape(2099),
    asked: [
      '/_observer/api/shapes?search=is%26su&sort=lag&limit=1000',
      '/_observer/api/shapes?search=is%26su&sort=lag&limit=1000&after=1000',
      '/_observer/api/shapes?search=is%26su&sort=lag&limit=100&after=2000',
    ],
  });
});

test.each([
  ['a secret that is wrong', 401, { code: 'unauthorized', message: 'x' }, /^The service wants its secret/],
  ['an observer that is off', 404, '', /start it with --observer/],
  ['a name of elsewhere', 403, { code: 'foreign_host', message: 'Only \u001b localhost.' }, /403: Only \\u\{1b\} localhost\.$/],
  ['something else that listens there', 200, '<html>', /a form that this version/],
])('says what to do about %s', async (_what, status, body, sentence) => {
  const other = new ToldService({ '/_observer/api/shapes': () => ({ status, body }) });

  const outcome = await runTool(['shapes', '--url', await other.start()]);

  other.stop();
  expect(outcome).toEqual({ code: 1, printed: '', complaints: [expect.stringMatching(sentence)] });
});

test('a service is found by its own port, and one that is not there is told', async () => {
  const { code, complaints } = await runTool(['shapes'], { ELECTRIC_PORT: '1' });

  expect({ code, complaints }).toEqual({ code: 1, complaints: ['Nothing answers at http://127.0.0.1:1. --url names another address.'] });
});

test.each([
  [['--url', 'localhost:3000'], /^--url must be/],
  [['--sort', 'name'], /^--sort must be one of/],
  [['--limit', '0'], /^--limit must be/],
])('%j is a misuse', async (words, sentence) => {
  expect(await runTool(['shapes', ...words])).toMatchObject({ code: 2, complaints: [expect.stringMatching(sentence)] });
});
