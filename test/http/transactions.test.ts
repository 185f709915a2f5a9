/** The wire: where a transaction stands for a shape. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TransactionFate } from '../../src/api/explain/transaction-source.ts';
import type { LogPosition } from '../../src/model/log-position.ts';
import type { Lsn } from '../../src/model/lsn.ts';
import { SEARCHED_BYTES_MAX } from '../../src/api/explain/log-search.ts';
import { startHttpWorld, told, type HttpWorld } from '../support/http/http-world.ts';

let world: HttpWorld;
let handle: string;

beforeEach(async () => {
  world = await startHttpWorld({ rows: ['{"key":"a"}'] });
  handle = (await world.shape('table=items&offset=-1')).headers.get('electric-handle') ?? '';
});

afterEach(() => world.close());

/** Of a transaction that the log has, up to and with `end`. */
function log(xid: number, lsn: number, end = 0): void {
  world.explains.log.set(xid, { lsn: String(lsn) as Lsn, end: end as LogPosition });
}

function line(xid: number, text = ''): string {
  return `{"key":"a","value":{"value":"${text}"},"headers":{"operation":"insert","txids":[${xid}]}}`;
}

interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function asked(xid: number | string, of = handle): Promise<Told> {
  const response = await world.get(`/v1/txid/${xid}?handle=${of}`);
  return { status: response.status, body: (await response.json()) as Told['body'] };
}

test('a transaction is in at the offset of its last line', async () => {
  log(200, 50);
  world.append(handle, 40, line(199));
  world.append(handle, 50, line(200), line(200));
  world.append(handle, 60, line(201));

  expect(await asked(200)).toEqual({
    status: 200,
    body: { txid: 200, handle, status: 'in', offset: '50_2', message: 'The transaction is in the shape at this offset.' },
  });
});

test('the 64-bit id of a transaction names it too', async () => {
  log(200, 50);
  world.append(handle, 50, line(200));
  expect((await asked(String(7n * 2n ** 32n + 200n))).body).toMatchObject({ txid: 200, status: 'in' });
});

test('a transaction of other rows has passed', async () => {
  log(200, 50);
  world.append(handle, 40, line(199));
  world.append(handle, 60, line(201));
  expect(await asked(200)).toMatchObject({ status: 200, body: { status: 'passed' } });
});

test('a transaction that the shape has yet to take is not there yet', async () => {
  log(200, 50, 1_000_000);
  expect(await asked(200)).toMatchObject({ status: 202, body: { status: 'not_yet', waits_for: 'shape' } });
});

const committed = (through: number): TransactionFate => ({ fate: 'committed', through: through as LogPosition });

test.each<[string, TransactionFate, number, object]>([
  ['is running', { fate: 'running' }, 202, { status: 'not_yet', waits_for: 'commit' }],
  ['has yet to be streamed', { fate: 'committed', through: undefined }, 202, { status: 'not_yet', waits_for: 'stream' }],
  ['lies before where the shape stands', committed(1_000_000), 202, { status: 'not_yet', waits_for: 'shape' }],
  ['touched no table of a shape', committed(0), 200, { status: 'passed' }],
  ['was rolled back', { fate: 'aborted' }, 200, { status: 'aborted' }],
  ['has yet to begin', { fate: 'notBegun' }, 404, { status: 'unknown' }],
  ['is forgotten by Postgres', { fate: 'forgotten' }, 410, { status: 'forgotten' }],
])('of a transaction that is not in the log and %s, that is told', async (_, fate, status, body) => {
  world.explains.fates.set(200, fate);
  expect(await asked(200)).toMatchObject({ status, body });
});

test('what the snapshot has seen is in the first rows', async () => {
  world.explains.fates.set(99, committed(0));
  expect(await asked(99)).toMatchObject({ status: 200, body: { status: 'in_snapshot', offset: '0_inf' } });
});

test('of a log of changes only, what was there before has passed', async () => {
  world.explains.fates.set(99, committed(0));
  const { headers } = await world.shape('table=items&offset=now&log=changes_only');
  expect(await asked(99, headers.get('electric-handle') ?? '')).toMatchObject({ status: 200, body: { status: 'passed' } });
});

test('a transaction that the log has forgotten is looked for in the shape', async () => {
  world.explains.knowsAll = false;
  for (const xid of [200, 201, 2]) world.explains.fates.set(xid, committed(0));
  world.append(handle, 50, line(200, '\\"txids\\":[201]'));
  const answers = await Promise.all([asked(200), asked(201)]);
  expect(answers.map(({ body }) => [body['status'], body['offset']])).toEqual([['in', '50_0'], ['passed', undefined]]);
});

test('and no further back than is stated', async () => {
  world.explains.knowsAll = false;
  for (const xid of [200, 300]) world.explains.fates.set(xid, committed(0));
  world.append(handle, 50, line(200));
  const large = 'x'.repeat(SEARCHED_BYTES_MAX / 3 + 1);
  for (const lsn of [60, 70, 80]) world.append(handle, lsn, line(201, large));
  world.append(handle, 90, line(300));
  const answers = await Promise.all([asked(200), asked(300)]);
  expect(answers.map(({ status, body }) => [status, body['status']])).toEqual([[410, 'forgotten'], [200, 'in']]);
});

test('Postgres away is a 503', async () => {
  world.explains.fates.set(200, { fate: 'unreachable' });
  const answer = await world.get(`/v1/txid/200?handle=${handle}`);
  const { status, ...headers } = await told(answer, 'retry-after', 'cache-control');
  expect([status, headers['retry-after'], headers['cache-control']]).toEqual([503, '1', 'no-store']);
});

test.each([
  ['x', '?handle=1-1', { txid: ['must be the number of a transaction'] }],
  ['2', '?handle=1-1', { txid: ['must be the number of a transaction'] }],
  ['-3', '?handle=1-1', { txid: ['must be the number of a transaction'] }],
  ['18446744073709551616', '?handle=1-1', { txid: ['must be the number of a transaction'] }],
  ["3'--", '?handle=1-1', { txid: ['must be the number of a transaction'] }],
  ['200', '', { handle: ["can't be blank"] }],
  ['200', '?handle[a]=1', { handle: ['is invalid'] }],
])('%s%s is refused', async (xid, query, errors) => {
  const answer = await world.get(`/v1/txid/${encodeURIComponent(xid)}${query}`);
  expect(await told(answer, 'cache-control')).toEqual({
    status: 400, 'cache-control': 'no-store', body: { message: 'Invalid request', errors },
  });
});

test('a handle that no shape has is told', async () => {
  expect(await asked(200, '1-1')).toEqual({
    status: 404, body: { code: 'shape_gone', message: 'No shape has this handle: it has ended, or there never was one.' },
  });
});

test('a browser may ask, and nobody may keep the answer', async () => {
  log(200, 50);
  const path = `/v1/txid/200?handle=${handle}`;
  const [get, head, options] = await Promise.all(['GET', 'HEAD', 'OPTIONS'].map((method) => world.get(path, { method })));
  const bodies = await Promise.all([head?.text(), options?.text()]);
  expect([get, head, options].map((answer) => [answer?.status, answer?.headers.get('access-control-allow-methods')])).toEqual([
    [200, 'GET, HEAD, OPTIONS'], [200, 'GET, HEAD, OPTIONS'], [204, 'GET, HEAD, OPTIONS'],
  ]);
  expect([get?.headers.get('cache-control'), ...bodies]).toEqual(['no-store', '', '']);
});
