/** Filters whose values are more than a query of Postgres can have: who asks hears that, of a shape and of a part of one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';

/** Of what stands on the left of each alternative, which is given to Postgres as often: so short a text has so many values. */
const added = Array.from({ length: 280 }, () => '+1').join('');
const manyValues = (count: number): string => `id${added} IN (${Array.from({ length: count }, () => 'size').join()})`;
const MOST = 234;
const TOO_MANY = manyValues(MOST + 1);
const MANY = manyValues(MOST);

/** Counted from 1. */
const list = (count: number, prefix = ''): string => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`).join();

let database: TestDatabase;
let storageDirectory: string;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  storageDirectory = mkdtempSync(join(tmpdir(), 'armature-large-filters-'));
  await database.query('CREATE TABLE items (id int PRIMARY KEY, size int); INSERT INTO items VALUES (1, 281), (2, 1)');
  await start();
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory });
}

async function ask(body: unknown, query: Readonly<Record<string, string>>): Promise<readonly [number, unknown]> {
  const search = new URLSearchParams({ table: 'items', offset: '-1', ...query });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${service.shapeUrl}?${search.toString()}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return [response.status, await response.json()];
}

const idsIn = (answer: unknown): readonly string[] => JSON.stringify(answer).match(/(?<="id":")\d+/g) ?? [];

test('a filter of more values than a query takes is refused in words', async () => {
  const why = 'the filter has 65800 values, and a query of Postgres takes 65535';

  expect(await ask({}, { where: TOO_MANY })).toEqual([400, { code: '54000', message: 'Invalid request', errors: { where: [why] } }]);
});

test.each([
  ["whose own filter and the shape's have too many together", { where: `id IN (${list(20)})` }, MANY],
  ['of a shape that has too many, and whose rows nobody has read', { where: TOO_MANY, log: 'changes_only' }, 'id > 0'],
])('a part of a shape %s is refused likewise', async (_, shape, where) => {
  const answer = await ask({ where }, { ...shape, offset: 'now' });

  expect(answer).toEqual([400, { message: 'Invalid request', errors: { subset: { where: [expect.stringMatching(/^the filter has/)] } } }]);
});

const PARAMS = Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [String(index + 1), '1']));
const TOO_LONG = [400, { message: 'Invalid request', errors: { subset: { where: ['is longer than 262144 characters'] } } }];

test.each([
  ['70,000 constants', { where: `id IN (${list(70_000)})` }, TOO_LONG],
  ['70,000 parameters that it names', { where: `id IN (${list(70_000, '$')})`, params: PARAMS }, TOO_LONG],
  ['70,000 parameters of which it names the last', { where: 'id = $70000', params: PARAMS }, [200, expect.anything()]],
])('a part by a filter with %s is answered', async (_, body, answer) => {
  expect(await ask(body, { offset: 'now' })).toEqual(answer);
});

test('a filter of nearly as many values as a query takes has its rows, also when it comes back from the storage', async () => {
  const shape = { where: `${MANY} AND size > 5` };
  const [status, rows] = await ask({}, shape);
  await service.stop();
  await start();
  const [again, same] = await ask({}, shape);

  expect([status, idsIn(rows), again, idsIn(same)]).toEqual([200, ['1'], 200, ['1']]);
});
