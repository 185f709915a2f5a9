/** Whatever a client sends, it gets an answer that it can read: never a fault of ours, never silence. */
import fc from 'fast-check';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lsn } from '../../src/model/lsn.ts';
import { itemLine } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld } from '../support/http/http-world.ts';
import { rawConnection } from '../support/http/raw-connection.ts';

let world: HttpWorld;
let handle: string;

beforeAll(async () => {
  world = await startHttpWorld({ rows: [itemLine('1', 'a')], settings: { longPollTimeoutMs: 20 } });
  const response = await world.shape('table=items&offset=-1');
  await response.text();
  handle = response.headers.get('electric-handle') ?? '';
  world.append(handle, 100, itemLine('2', 'b'));
  world.processed = '100' as Lsn; // Of an offset beyond that it is known that nobody was given it.
});

afterAll(() => world.close());

/** Text that is likely to matter, and text that is not. */
const value = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'items',
    'public.items',
    '"items"',
    '-1',
    'now',
    '0_0',
    '0_inf',
    '0_7',
    '100_0',
    '100_1',
    '18446744073709551615_9',
    'true',
    'false',
    'full',
    'changes_only',
    'id',
    'id,value',
    '"id"',
    'id,',
    "value='a'",
    "nope='a'",
    '\0',
    '%',
    '__proto__',
    '[]',
  ),
  fc.constant('HANDLE'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const name = fc.oneof(
  fc.constantFrom(
    'table',
    'offset',
    'handle',
    'live',
    'live_sse',
    'experimental_live_sse',
    'cursor',
    'where',
    'params',
    'params[1]',
    'params[x][y]',
    'params[]',
    'columns',
    'queryable_columns',
    'replica',
    'log',
    'subset__where',
    'subset__params',
    'subset__params[1]',
    'subset__order_by',
    'subset__limit',
    'subset__offset',
    'subset__where_expr',
    'subset__anything',
    'subset',
    'experimental_compaction',
    '__proto__',
    '__proto__[x]',
    'constructor',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const likely = fc
  .record({ table: fc.constant('items'), offset: value, handle: value })
  .map((known): [string, string][] => Object.entries(known));
const query = fc
  .tuple(fc.oneof(likely, fc.constant([])), fc.array(fc.tuple(name, value), { maxLength: 6 }))
  .map(([known, more]) => [...known, ...more]);

const ANSWERS = [200, 202, 304, 400, 404, 405, 409, 413];

/** Moves time until the answer is there: a wait that has no end would never be over. */
async function moving<Answer>(answer: Promise<Answer>): Promise<Answer> {
  let isThere = false;
  const noted = answer.finally(() => (isThere = true));
  await world.until(() => {
    world.clock.advance(20);
    return isThere;
  });
  return noted;
}

async function answered(response: Promise<Response>): Promise<{ status: number; hasElectricHeaders: boolean }> {
  const { status, headers } = await moving(
    response.then(async (arrived) => {
      await arrived.text();
      return arrived;
    }),
  );
  return { status, hasElectricHeaders: ['electric-handle', 'electric-offset'].every((each) => headers.has(each)) };
}

/** The status of a request of bare bytes, none of which a client library had to approve of. */
async function rawStatus(head: string, body = ''): Promise<number> {
  const { said } = await rawConnection(
    world.port,
    `${head}\r\nhost: x\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(await moving(said))?.[1]);
}

/** Pieces of queries, in an order that nobody thought of. */
const queryText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'table=items&offset=-1',
        'table=items',
        'offset=',
        'handle=',
        'params[1]=1',
        'params',
        'where',
        'columns',
        'a',
        'subset',
        '__proto__',
        'kind=refusal',
        'status=200',
      ),
      fc.constantFrom(
        '&',
        '&',
        '&',
        '=',
        '=',
        '[',
        ']',
        '[]',
        '[b]',
        '[1]',
        '][',
        '%',
        '%5B',
        '%5D',
        '%zz',
        '%00',
        '%ff',
        '%C3%28',
        '%ED%A0%80',
        '+',
        ';',
        '?',
        '#',
        '/',
        '"',
        "'",
        '\\',
        'é',
      ),
      fc.constantFrom('[b]'.repeat(40), 'a[]=&'.repeat(40), '&params[2]=x'.repeat(20), '%25'.repeat(30)),
    ),
    { maxLength: 25 },
  )
  .map((pieces) => pieces.join(''));

/** What a body may say about everything that the wire has a name for, in the right form or in none. */
const knownNames = [
  'table',
  'offset',
  'handle',
  'live',
  'live_sse',
  'experimental_live_sse',
  'cursor',
  'where',
  'params',
  'columns',
  'queryable_columns',
  'replica',
  'log',
  'subset',
  'order_by',
  'limit',
  'where_expr',
  'order_by_expr',
  'experimental_compaction',
  '__proto__',
  'constructor',
  'toString',
  'kind',
  'status',
];
const bodyValue = fc.oneof(
  fc.constantFrom<unknown>(
    'items',
    '-1',
    'id',
    "value = 'a'",
    ['id', 'value'],
    ['id', 1],
    { 1: 'x' },
    { 1: { 2: 'x' } },
    { where: 'TRUE' },
    { where: 'TRUE', order_by: 'id', limit: 1, offset: '2', params: { 1: true } },
    {},
    [],
    null,
    true,
    false,
    0,
    -1,
    1e300,
    '\ud800',
    '\0',
  ),
  fc.jsonValue({ maxDepth: 3 }),
);
const knownBody = fc.array(fc.tuple(fc.constantFrom(...knownNames), bodyValue), { maxLength: 6 })
  .map((fields) => `{${fields.map(([field, said]) => `${JSON.stringify(field)}:${JSON.stringify(said)}`).join(',')}}`);

test('a query of any kind is answered, and a 200 has what clients demand', async () => {
  await fc.assert(
    fc.asyncProperty(
      query,
      fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'),
      fc.option(fc.json(), { nil: undefined }),
      async (pairs, method, body) => {
        const search = new URLSearchParams(pairs.map(([key, text]): [string, string] => [key, text === 'HANDLE' ? handle : text]));
        const init = method === 'POST' && body !== undefined ? { method, body } : { method };
        const { status, hasElectricHeaders } = await answered(world.shape(search.toString(), init));
        return ANSWERS.includes(status) && (status !== 200 || hasElectricHeaders);
      },
    ),
    { numRuns: 600 },
  );
  await world.until(() => world.api.load().initial + world.api.load().existing === 0);
  expect([world.failures, world.api.load()]).toEqual([[], { initial: 0, existing: 0, parked: 0 }]);
});

test('a query that is not even well-formed is answered', async () => {
  await fc.assert(
    fc.asyncProperty(queryText, fc.constantFrom('GET', 'DELETE', 'POST'), async (text, method) => {
      return ANSWERS.includes(await rawStatus(`${method} /v1/shape?${text} HTTP/1.1`));
    }),
    {
      numRuns: 500,
      examples: [['params=%7B%221%22%3A%22x%22%7D&params[1]=y&a=1&a[b]=2&a[]=3&a[b][c]=4&a=5&table=items&offset=-1', 'GET']],
    },
  );
  expect(world.failures).toEqual([]);
});

test('a body that says anything about what the wire has names for is answered', async () => {
  await fc.assert(
    fc.asyncProperty(knownBody, queryText, async (body, text) => {
      return ANSWERS.includes(await rawStatus(`POST /v1/shape?table=items&offset=-1&${text} HTTP/1.1`, body));
    }),
    { numRuns: 500, examples: [['{"params":{"1":"x"},"subset":{}}', 'params[1]=y&params=z']] },
  );
  expect(world.failures).toEqual([]);
});

test('bytes that are no HTTP end the connection and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.boolean(), async (bytes, startsWell) => {
      const socket = connect(world.port, '127.0.0.1');
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.resume();
      if (startsWell) socket.write('GET /v1/health?');
      socket.end(bytes);
      await closed;
    }),
    { numRuns: 100 },
  );
  expect([(await world.get('/v1/health')).status, world.failures]).toEqual([200, []]);
});
