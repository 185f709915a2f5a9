/** Clients from npm whose log ends in the midst of what they do, and whose page is hidden for a while. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Shape, ShapeStream, type Row, type ShapeStreamOptions } from '@electric-sql/client';
import { beginBrowser, CLIENT_KINDS, ShapeClient } from '../support/clients/shape-clients.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

const warn = vi.spyOn(console, 'warn');
let database: TestDatabase;
let service: ServiceInProcess;
let leaving: AbortController;
let table: string;
let tableCount = 0;

const page = beginBrowser();

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({
    databaseUrl: database.url, flags: { 'shape-chunk-bytes-threshold': '1000' },
  });
});

afterAll(async () => {
  warn.mockRestore();
  await service.remove();
  await database.drop();
});

/** Ten rows, in some chunks. */
beforeEach(async () => {
  warn.mockClear();
  leaving = new AbortController();
  tableCount += 1;
  table = `items_${tableCount}`;
  await database.query(`
    CREATE TABLE ${table} (id int PRIMARY KEY, title text);
    INSERT INTO ${table} SELECT i, repeat('x', 500) FROM generate_series(1, 10) i`);
});

afterEach(() => leaving.abort());

const selected = () => database.query<Row>(`SELECT id, title FROM ${table} ORDER BY id`);
const sorted = (rows: readonly Row[]) => [...rows].sort((left, right) => Number(left['id']) - Number(right['id']));

describe.each(CLIENT_KINDS)('the client $version that $way', (kind) => {
  test('asks nothing while its page is hidden, and then has what has come', async () => {
    const client = new ShapeClient(kind, { url: service.shapeUrl, params: { table } });
    await expect.poll(() => client.liveCount).toBe(1);
    page.setHidden(true);
    await expect.poll(() => client.hasGivenUp).toBe(true);
    const { requestCount } = client;
    await database.query(`DELETE FROM ${table} WHERE id < 5; INSERT INTO ${table} VALUES (11, 'new')`);
    const askedMeanwhile = client.requestCount - requestCount;
    page.setHidden(false);
    await expect.poll(() => client.rows).toEqual(await selected());
    client.leave();
    expect([askedMeanwhile, client.errors, client.told.includes('must-refetch'), warn.mock.calls]).toEqual([0, [], false, []]);
  });
});

/** Its table is emptied and filled anew before it asks what `isAt` says, once. */
function interrupted(isAt: (asked: URLSearchParams) => boolean, options: Partial<ShapeStreamOptions> = {}) {
  const statuses: number[] = [];
  let isOver = false;
  const fetchClient: typeof fetch = async (input, init) => {
    if (!isOver && isAt(new URL(String(input)).searchParams)) {
      isOver = true;
      await database.query(`TRUNCATE ${table}; INSERT INTO ${table} SELECT i, repeat('y', 500) FROM generate_series(3, 8) i`);
      await expect.poll(() => fetch(input, init).then(({ status }) => status)).toBe(409);
    }
    const response = await fetch(input, init);
    statuses.push(response.status);
    return response;
  };
  const stream = new ShapeStream<Row>({ url: service.shapeUrl, params: { table }, signal: leaving.signal, fetchClient, ...options });
  const told: unknown[] = [];
  stream.subscribe((messages) => {
    for (const { headers } of messages) if ('control' in headers && headers.control === 'must-refetch') told.push(headers.control);
  });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  return { stream, shape: new Shape<Row>(stream), statuses, told };
}

const LIVE = { polls: { liveSse: false }, streams: { liveSse: true } };
const isLive = (asked: URLSearchParams): boolean => asked.get('live') === 'true';

test.each<[string, (asked: URLSearchParams) => boolean, Partial<ShapeStreamOptions>]>([
  ['between two chunks of first rows', (asked) => asked.get('offset') === '0_2', {}],
  ['before it is polled', isLive, LIVE.polls],
  ['before it is streamed', isLive, LIVE.streams],
])('a log that ends %s is begun anew, once and without a warning', async (_what, isAt, options) => {
  const { shape, told } = interrupted(isAt, options);
  await expect.poll(() => told).toEqual(['must-refetch']);
  await expect.poll(() => sorted(shape.currentRows)).toEqual(await selected());
  expect([told, warn.mock.calls]).toEqual([['must-refetch'], []]);
});

test.each(Object.entries(LIVE))('who follows changes alone, and %s, begins anew, and is told what comes then', async (_way, live) => {
  const { stream, shape, told } = interrupted(isLive, { ...live, log: 'changes_only' });
  await expect.poll(() => told).toEqual(['must-refetch']);
  await expect.poll(() => stream.isUpToDate).toBe(true);
  await database.query(`INSERT INTO ${table} VALUES (20, 'after')`);
  await expect.poll(() => shape.currentRows).toEqual([{ id: 20, title: 'after' }]);
  expect([told, stream.isUpToDate, warn.mock.calls]).toEqual([['must-refetch'], true, []]);
});

test('a subset that is asked for when its log has ended is had by who begins anew', async () => {
  warn.mockImplementation(() => {}); // Of a 409 that names no handle.
  const { stream, shape, told } = interrupted((asked) => asked.has('subset__where'), { log: 'changes_only' });
  await expect.poll(() => stream.isUpToDate).toBe(true);
  const asked = shape.requestSnapshot({ where: 'id > 4' }).then(() => 'answered', () => 'refused');
  await expect.poll(() => told).toEqual(['must-refetch']);
  await asked;
  await shape.requestSnapshot({ where: 'id > 4' });
  await expect.poll(() => sorted(shape.currentRows)).toEqual((await selected()).filter(({ id }) => Number(id) > 4));
});
