/** The wire: why a row is in a shape, or is not, where the world does what a real one seldom does. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { HISTORY_BYTES_MAX } from '../../src/api/explain/row-history.ts';
import type { Lsn } from '../../src/model/lsn.ts';
import type { ExplainLanguage } from '../../src/sql/where-explanation.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereLanguage } from '../../src/sql/where.ts';
import { itemLine } from '../support/http/api-world.ts';
import { startHttpWorld, told, type HttpWorld } from '../support/http/http-world.ts';

const ID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const ROW = { id: ID, value: 'a' };

let language: WhereLanguage & ExplainLanguage;
let world: HttpWorld;
let handle: string;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

beforeEach(async () => {
  world = await startHttpWorld({ rows: [itemLine(ID, 'a')], language, explainLanguage: language });
  handle = await handleOf("value = 'a'");
});

afterEach(() => world.close());

async function handleOf(where: string): Promise<string> {
  const { headers } = await world.shape(`table=items&offset=-1&where=${encodeURIComponent(where)}`);
  return headers.get('electric-handle') ?? '';
}

/** @param row as Postgres has it. */
function postgresHas(row: Readonly<Record<string, string | null>> | undefined, isAhead = false): void {
  world.explains.read = { outcome: 'row', row, pgSnapshot: { xmin: '100', xmax: '100', xip: [], insertLsn: '50' as Lsn }, isAhead };
}

async function explained(query = `handle=${handle}&pk[id]=${ID}`): Promise<readonly unknown[]> {
  const response = await world.get(`/v1/shape/explain?${query}`);
  const { verdict, in_shape: isIn, log } = (await response.json()) as {
    verdict: { code: string }; in_shape: boolean | null; log: { looked_from: string } | null;
  };
  return [verdict.code, isIn, log?.looked_from];
}

test.each<[string, object | undefined, boolean, number, readonly unknown[]]>([
  ['the same row', ROW, false, 0, ['in_shape', true]],
  ['another row, and the shape has not come so far', { ...ROW, value: 'b' }, false, 40, ['not_yet', true]],
  ['no row, and the shape has not come so far', undefined, false, 40, ['not_yet', true]],
  ['no row, and the shape has come further than it shows', undefined, true, 60, ['hidden', true]],
  ['no row, though the shape has come so far', undefined, false, 60, ['undecided', true]],
])('Postgres has %s', async (_, row, isAhead, processed, answer) => {
  postgresHas(row as typeof ROW | undefined, isAhead);
  world.processed = String(processed) as Lsn;
  expect((await explained()).slice(0, 2)).toEqual(answer);
});

test('a log that is too long is looked through from its end, and says from where', async () => {
  const large = itemLine('b', 'x'.repeat(HISTORY_BYTES_MAX / 2));
  for (const lsn of [10, 20, 30]) world.append(handle, lsn, large);
  postgresHas(ROW);
  world.processed = '40' as Lsn;
  const early = await explained();
  world.processed = '50' as Lsn;
  const [present, from] = [await explained(), expect.stringMatching(/^[12]0_0$/)];
  postgresHas(undefined);

  expect([early, present, await explained()]).toEqual([['undecided', null, from], ['in_shape', null, from], ['never_there', null, from]]);
});

test.each([
  ['unreachable', { outcome: 'refused', status: 503, code: 'database_unreachable', message: 'away' }, 503],
  ['that refuses the key', { outcome: 'refused', status: 400, code: '22P02', message: 'invalid input syntax for type uuid: "x"' }, 400],
  ['whose table has changed', { outcome: 'over' }, 404],
] as const)('a Postgres %s', async (_, read, status) => {
  world.explains.read = read;
  const answer = await world.get(`/v1/shape/explain?handle=${handle}&pk[id]=x`);
  expect(await told(answer, 'cache-control')).toMatchObject({ status, 'cache-control': 'no-store' });
});

test('a handle that has ended is told as gone, with what the filter says where the shape is named as well', async () => {
  postgresHas(ROW);
  const gone = await world.get(`/v1/shape/explain?handle=1-1&pk[id]=${ID}`);
  const named = `handle=1-1&table=items&where=${encodeURIComponent("value = 'a'")}&pk[id]=${ID}`;

  expect([gone.status, await explained(named)]).toEqual([404, ['shape_gone', null, undefined]]);
});

test('a handle and a shape that do not agree are refused', async () => {
  const answer = await world.get(`/v1/shape/explain?handle=${handle}&table=items&pk[id]=${ID}`);
  expect((await told(answer)).status).toBe(400);
});

test('a shape without a filter takes every row', async () => {
  postgresHas(ROW);
  const { headers } = await world.shape('table=items&offset=-1');
  expect((await explained(`handle=${headers.get('electric-handle') ?? ''}&pk[id]=${ID}`)).slice(0, 2)).toEqual(['in_shape', true]);
});

test('what is hostile stays what it is', async () => {
  const text = `<script>alert(1)</script>'"; DROP TABLE items; --`;
  const answer = await world.get(`/v1/shape/explain?handle=${handle}&row=${encodeURIComponent(JSON.stringify({ value: text }))}`);
  const { row } = (await answer.json()) as { row: unknown };
  expect([answer.headers.get('content-type'), row]).toEqual([
    'application/json; charset=utf-8', { key: null, from: 'request', value: { value: text } },
  ]);
});
