/** What a cache keeps of each kind of answer, and that nothing of what it keeps holds a client at a shape that is over. */
import { Shape, ShapeStream, type Row } from '@electric-sql/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startCachingProxy, type CachingProxy } from '../support/http/caching-proxy.ts';
import { startCountingForwarder, type CountingForwarder } from '../support/http/counting-forwarder.ts';
import { EventReader } from '../support/http/event-reader.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

const FRESH_SECONDS = 2;
const STALE_SECONDS = 600;

let database: TestDatabase;
let service: ServiceInProcess;
let origin: CountingForwarder;
let cache: CachingProxy;
let leaving: AbortController;
let table: string;
let tables = 0;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({
    databaseUrl: database.url,
    flags: {
      'enable-deletion': true, 'long-poll-timeout': '500ms',
      'cache-max-age': String(FRESH_SECONDS), 'cache-stale-age': String(STALE_SECONDS),
    },
  });
  origin = await startCountingForwarder(service.url);
  cache = await startCachingProxy(origin.url);
});

afterAll(async () => {
  await cache.stop();
  await origin.close();
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  tables += 1;
  table = `items_${tables}`;
  leaving = new AbortController();
  await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, title text); INSERT INTO ${table} VALUES (1, 'one')`);
});

afterEach(() => {
  leaving.abort();
});

const ask = (query: string, init?: RequestInit): Promise<Response> => fetch(`${cache.url}/v1/shape?table=${table}&${query}`, init);

/** Where the answers to the same request, sent twice, came from. */
async function cameFrom(query: string, init?: RequestInit): Promise<unknown> {
  const told: unknown[] = [];
  for (let count = 0; count < 2; count += 1) {
    const response = await ask(query, init);
    await response.text();
    told.push(response.status, response.headers.get('x-cache'));
  }
  return told;
}

async function handleOf(query = 'offset=-1'): Promise<string> {
  return (await ask(query)).headers.get('electric-handle') ?? '';
}

test.each<[string, (handle: string) => string, RequestInit, readonly unknown[]]>([
  ['a first chunk', () => 'offset=-1&where=id > 0', {}, [200, 'MISS', 200, 'HIT']],
  ['what follows it', (handle) => `offset=0_0&handle=${handle}`, {}, [200, 'MISS', 200, 'HIT']],
  ['a poll', (handle) => `offset=0_inf&live=true&cursor=&handle=${handle}`, {}, [200, 'MISS', 200, 'HIT']],
  ['a redirection to another handle', () => 'offset=0_0&handle=none', {}, [409, 'MISS', 409, 'HIT']],
  ['a refusal', () => 'offset=here', {}, [400, 'MISS', 400, 'MISS']],
  ['a subset', () => 'offset=-1&log=changes_only&subset__where=TRUE', {}, [200, 'MISS', 200, 'MISS']],
  ['an answer to a body', () => 'offset=-1', { method: 'POST', body: '{}' }, [200, null, 200, null]],
])('of %s a cache keeps what it should', async (_, query, init, expected) => {
  expect(await cameFrom(query(await handleOf()), init)).toEqual(expected);
});

test('pages of two origins are each given what they may read, and kept it', async () => {
  const query = 'offset=-1';
  const origins = ['https://one.example', 'https://two.example', 'https://one.example', 'https://two.example', undefined];
  const told: unknown[] = [];
  for (const page of origins) {
    const { headers } = await ask(query, page === undefined ? {} : { headers: { origin: page } });
    told.push([headers.get('access-control-allow-origin'), headers.get('x-cache')]);
  }
  expect(told).toEqual([
    ['https://one.example', 'MISS'], ['https://two.example', 'MISS'], ['https://one.example', 'HIT'], ['https://two.example', 'HIT'],
    ['*', 'MISS'],
  ]);
});

test('what has been kept for too long is served while it is looked up anew', async () => {
  const query = `offset=0_0&handle=${await handleOf()}`;
  const first = await ask(query);
  const states: (string | null)[] = [];
  await expect
    .poll(async () => {
      states.push((await ask(query)).headers.get('x-cache'));
      return states.includes('STALE') && states.at(-1);
    })
    .toBe('HIT'); // Fresh again.

  expect([first.headers.get('cache-control'), new Set(states)]).toEqual([
    `public, max-age=${FRESH_SECONDS}, stale-while-revalidate=${STALE_SECONDS}`,
    new Set(['HIT', 'STALE']),
  ]);
});

test('a log that has grown is what comes when a cache has looked again', async () => {
  const query = `offset=0_0&handle=${await handleOf()}`;
  const before = await (await ask(query)).text();
  await database.query(`INSERT INTO ${table} VALUES (2, 'two')`);

  await expect.poll(async () => (await ask(query)).text()).toContain('"id":"2"');
  expect(before).not.toContain('"id":"2"');
});

const ROTATIONS: Readonly<Record<string, (handle: string) => Promise<unknown>>> = {
  'its table is truncated': () => database.query(`TRUNCATE ${table}; INSERT INTO ${table} VALUES (9, 'anew')`),
  'it is deleted': async (handle) => {
    await fetch(`${service.shapeUrl}?handle=${handle}`, { method: 'DELETE' });
    await database.query(`UPDATE ${table} SET title = 'anew'`);
  },
  'a column is added': () => database.query(`ALTER TABLE ${table} ADD more text; INSERT INTO ${table} VALUES (9, 'anew', 'x')`),
};

test.each(Object.entries(ROTATIONS))('whoever begins with what is kept of a shape comes to the next one when %s', async (_, rotate) => {
  const shapeUrl = `${cache.url}/v1/shape`;
  const follower = await new ShapeFollower(shapeUrl, { table }).catchUp();
  const { handle = '' } = follower;
  await rotate(handle);
  const wanted = await database.query(`SELECT to_jsonb(t) - 'id' || jsonb_build_object('id', id::text) AS row FROM ${table} t ORDER BY id`);

  const newcomer = new ShapeFollower(shapeUrl, { table });
  const beganWith = await handleOf();
  for (const client of [follower, newcomer]) {
    await client.catchUp();
    await expect
      .poll(async () => {
        await client.poll();
        return (await client.catchUp()).sorted();
      })
      .toEqual(wanted.map(({ row }) => row as unknown));
  }

  expect([beganWith === handle, follower.handle !== handle, newcomer.handle === follower.handle, newcomer.refetches]).toEqual([
    true, true, true, 1,
  ]);
});

test.each([false, true])('the client that people use follows through it, and over the end of its shape (streams: %s)', async (liveSse) => {
  const stream = new ShapeStream<Row>({ url: `${cache.url}/v1/shape`, params: { table }, liveSse, signal: leaving.signal });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  const shape = new Shape<Row>(stream);
  await shape.rows;
  for (const sql of [
    `INSERT INTO ${table} VALUES (2, 'two')`,
    `TRUNCATE ${table}; INSERT INTO ${table} VALUES (3, 'three')`,
    `UPDATE ${table} SET title = 'drei'`,
  ]) {
    await database.query(sql);
    const wanted = await database.query(`SELECT id, title FROM ${table} ORDER BY id`);
    await expect.poll(() => shape.currentRows).toEqual(wanted);
  }
});

test('an event stream passes as it comes, is given to nobody else, and ends with its shape', async () => {
  const handle = await handleOf();
  const query = `offset=0_inf&handle=${handle}&live=true&live_sse=true&cursor=`;
  const responses = [await ask(query), await ask(query)];
  const readers = responses.map((response) => new EventReader(response));
  for (const id of [2, 3]) {
    await database.query(`INSERT INTO ${table} VALUES (${id}, 'live')`);
    for (const reader of readers) await expect.poll(() => JSON.stringify(reader.messages)).toContain(`"id":"${id}"`);
  }
  const open = readers.map(({ end }) => end);
  await ask(`handle=${handle}`, { method: 'DELETE' });

  const ends = await Promise.all(readers.map((reader) => reader.untilOver()));
  expect([responses.map(({ headers }) => headers.get('x-cache')), open, ends]).toEqual([
    ['BYPASS', 'BYPASS'], [undefined, undefined], ['ended', 'ended'],
  ]);
});
