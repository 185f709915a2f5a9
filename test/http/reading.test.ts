/** The wire: snapshot, catch-up, handles and caching, as far as they are the server's own. */
import { afterEach, expect, test } from 'vitest';
import type { SnapshotStart } from '../../src/api/ports.ts';
import { BEFORE_ALL } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { FOLLOW_WAIT_MS } from '../../src/storage/shapes/snapshot-chunks.ts';
import { column, itemLine, key, SNAPSHOT_END_MESSAGE, upToDateMessage } from '../support/http/api-world.ts';
import { startHttpWorld, told, type HttpWorld, type HttpWorldOptions } from '../support/http/http-world.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';

const BASE = 'table=items&offset=-1';
const MUST_REFETCH = [{ headers: { control: 'must-refetch' } }];
const IMMUTABLE = 'public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746';
const CATCH_UP = 'public, max-age=60, stale-while-revalidate=300';

let world: HttpWorld;

async function start(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  world = await startHttpWorld(options);
  return world;
}

/** The handle of the shape of all items, made if need be. */
async function handleOf(query = BASE): Promise<string> {
  const response = await world.shape(query);
  await response.text();
  return response.headers.get('electric-handle') ?? '';
}

const items = (...ids: readonly string[]): object[] => ids.map((id) => JSON.parse(itemLine(id, 'v')));
const line = (id: string): string => itemLine(id, 'v');
/** Of a chunk that begins so it is known that its body is long. */
const LONG = itemLine('1', 'v'.repeat(2_000));

afterEach(() => world.close());

test('a first request gets the first chunk, never up to date, to be kept for a week', async () => {
  const { shape } = await start({ rows: [line('1')] });
  const response = await shape(BASE);
  const handle = response.headers.get('electric-handle');
  const names = ['electric-offset', 'electric-up-to-date', 'electric-has-data', 'electric-cursor', 'cache-control', 'etag', 'content-type'];
  expect(await told(response, ...names)).toEqual({
    status: 200,
    'electric-offset': '0_0',
    'electric-up-to-date': null,
    'electric-has-data': 'true',
    'electric-cursor': null,
    'cache-control': IMMUTABLE,
    etag: `"${handle}:-1:0_0"`,
    'content-type': 'application/json; charset=utf-8',
    body: [...items('1'), SNAPSHOT_END_MESSAGE],
  });
});

test('a request notes once that rows in memory were asked for: they are kept for the third', async () => {
  const storage = await openStorage({ directory: '/data', clock: new ManualClock(), disk: new MemoryDisk().mount() });
  const { shape } = await start({ storage, rows: [line('1')] });
  const response = await shape(`${BASE}&replica=full`);
  const log = storage.shapes.get((response.headers.get('electric-handle') ?? '') as Handle);
  const areKept = Array.from({ length: 2 }, () => log?.read(BEFORE_ALL)).map((read) => read?.outcome === 'entries' && read.areKept);

  expect(areKept).toEqual([false, true]);
});

test('an empty table has a snapshot of its own, behind which the log is up to date', async () => {
  const { shape } = await start();
  const handle = await handleOf();
  const response = await shape(`table=items&offset=0_0&handle=${handle}`);
  const names = ['electric-offset', 'electric-up-to-date', 'electric-has-data', 'cache-control', 'etag'];
  expect(await told(response, ...names)).toEqual({
    status: 200,
    'electric-offset': '0_inf',
    'electric-up-to-date': '',
    'electric-has-data': 'true',
    'cache-control': CATCH_UP,
    etag: `"${handle}:0_0:0_inf"`,
    body: [upToDateMessage(0)],
  });
});

test('each chunk is a response, and only the last is up to date', async () => {
  const { shape, append } = await start({ rows: [line('1')], chunkBytesMax: 10 });
  const handle = await handleOf();
  append(handle, 100, line('2'));
  append(handle, 200, line('3'));

  const answers: unknown[] = [];
  for (const offset of ['-1', '0_0', '0_1', '100_0']) {
    const response = await shape(`table=items&offset=${offset}&handle=${handle}`);
    const {
      body,
      'electric-offset': end,
      'electric-up-to-date': upToDate,
    } = await told(response, 'electric-offset', 'electric-up-to-date');
    answers.push({ body, end, upToDate });
  }
  expect(answers).toEqual([
    { body: items('1'), end: '0_0', upToDate: null },
    { body: [SNAPSHOT_END_MESSAGE], end: '0_1', upToDate: null },
    { body: items('2'), end: '100_0', upToDate: null },
    { body: [...items('3'), upToDateMessage(200)], end: '200_0', upToDate: '' },
  ]);
});

test('the first chunk stays as it is while the log grows', async () => {
  const { shape, append } = await start({ rows: [line('1')] });
  const before = await told(await shape(BASE), 'etag');
  append(await handleOf(), 100, line('2'));
  expect(await told(await shape(BASE), 'etag')).toEqual(before);
});

test('now, on a new shape, is its end', async () => {
  const { shape } = await start({ rows: [line('1')] });
  const response = await shape('table=items&offset=now');
  expect(await told(response, 'electric-offset', 'electric-has-data', 'electric-up-to-date', 'cache-control')).toEqual({
    status: 200,
    'electric-offset': '0_inf',
    'electric-has-data': 'false',
    'electric-up-to-date': '',
    'cache-control': CATCH_UP,
    body: [upToDateMessage(0)],
  });
});

test('now, after changes, tells the end and how far the service has come, with any handle', async () => {
  const { shape, append } = await start();
  append(await handleOf(), 100, line('1'), line('2'));
  world.processed = '150' as typeof world.processed;
  const response = await shape('table=items&offset=now&handle=nonsense');
  expect(await told(response, 'electric-offset', 'electric-has-data')).toEqual({
    status: 200,
    'electric-offset': '100_2',
    'electric-has-data': 'false',
    body: [upToDateMessage(150)],
  });
});

test('the schema tells types and the key', async () => {
  const { shape, catalog } = await start();
  catalog.add('prices', [
    key('id', 'int8'),
    column('title', 'varchar', { typeMod: 127 }),
    column('tags', 'text', { dimensions: 1, notNull: true }),
    column('näme', 'numeric', { typeMod: ((5 << 16) | 3) + 4 }),
  ]);
  const response = await shape('table=prices&offset=-1');
  expect(JSON.parse(response.headers.get('electric-schema') ?? '')).toEqual({
    id: { type: 'int8', pk_index: 0, not_null: true },
    title: { type: 'varchar', max_length: 123 },
    tags: { type: 'text', dims: 1 },
    näme: { type: 'numeric', precision: 5, scale: 3 },
  });
});

test('the schema follows the catalogue, under the same handle', async () => {
  const { shape, catalog } = await start();
  const handle = await handleOf();
  const known = catalog.relations.get('["public","items"]');
  if (known !== undefined) {
    catalog.relations.set('["public","items"]', { ...known, columns: known.columns.map((each) => ({ ...each, notNull: false })) });
  }
  const response = await shape(`table=items&offset=0_0&handle=${handle}`);
  expect({ status: response.status, schema: JSON.parse(response.headers.get('electric-schema') ?? '') }).toEqual({
    status: 200,
    schema: { id: { type: 'uuid', pk_index: 0 }, value: { type: 'text' } },
  });
});

test('equal definitions share a handle, named columns make another shape', async () => {
  await start();
  const handles = [
    await handleOf("table=items&offset=-1&where=value='a'"),
    await handleOf("table=public.items&offset=-1&where=value%20%20%3D%20'a'"),
    await handleOf('table=items&offset=-1'),
    await handleOf('table=items&offset=-1&columns=value,id'),
    await handleOf('table=items&offset=-1&columns="id","value"'),
    await handleOf('table=items&offset=-1&queryable_columns=id,value'),
    await handleOf('table=items&offset=-1&replica=full'),
    await handleOf('table=items&offset=-1&log=changes_only'),
  ];
  expect(handles.map((handle) => handles.indexOf(handle))).toEqual([0, 0, 2, 3, 3, 3, 6, 7]);
});

test('an unknown handle of a definition without a shape leads to a new one', async () => {
  const { shape, directory } = await start();
  const response = await shape('table=items&offset=5_0&handle=unknown');
  const handle = response.headers.get('electric-handle') ?? '';
  expect({ ...(await told(response, 'cache-control')), exists: directory.definitionOf(handle as never)?.relation.name }).toEqual({
    status: 409,
    'cache-control': 'public, max-age=60, must-revalidate',
    body: MUST_REFETCH,
    exists: 'items',
  });
});

test('a wrong handle leads to the right one, without the headers of a log', async () => {
  const { shape } = await start();
  const other = await handleOf("table=items&offset=-1&where=value='a'");
  const right = await handleOf();
  const names = ['electric-handle', 'electric-offset', 'electric-schema', 'electric-cursor', 'electric-up-to-date', 'electric-has-data'];
  expect(await told(await shape(`table=items&offset=0_0&live=true&handle=${other}`), ...names)).toEqual({
    status: 409,
    'electric-handle': right,
    'electric-offset': null,
    'electric-schema': null,
    'electric-cursor': null,
    'electric-up-to-date': null,
    'electric-has-data': null,
    body: MUST_REFETCH,
  });
});

test('a table may have any name', async () => {
  const { shape, catalog } = await start();
  catalog.add('issues for "x".y', [key('id', 'int4')], 'electric_test');
  const response = await shape(`offset=-1&table=${encodeURIComponent('electric_test."issues for ""x"".y"')}`);
  expect(response.status).toBe(200);
});

test('a read that reaches the end tells how far the whole service has come', async () => {
  const { shape, append } = await start();
  const handle = await handleOf();
  append(handle, 100, line('1'));
  world.processed = '250' as typeof world.processed;
  expect(await told(await shape(`table=items&offset=0_0&handle=${handle}`))).toMatchObject({ body: [...items('1'), upToDateMessage(250)] });
});

test('the LSN that a read tells is never behind what it delivers', async () => {
  const { shape, append } = await start();
  const handle = await handleOf();
  append(handle, 100, line('1'));
  world.processed = '50' as typeof world.processed;
  expect(await told(await shape(`table=items&offset=0_0&handle=${handle}`))).toMatchObject({ body: [...items('1'), upToDateMessage(100)] });
});

test.each([
  ['their etag', (etag: string) => etag],
  ['it without quotes', (etag: string) => etag.slice(1, -1)],
  ['it among others', (etag: string) => `"other", ${etag}`],
])('a client that holds the bytes and sends %s gets none', async (_what, ifNoneMatch) => {
  const { shape } = await start({ rows: [line('1')] });
  const first = await shape(BASE);
  await first.text();
  const etag = first.headers.get('etag') ?? '';
  const again = await shape(BASE, { headers: { 'if-none-match': ifNoneMatch(etag) } });
  const names = ['etag', 'cache-control', 'electric-handle', 'electric-offset', 'electric-has-data', 'electric-schema'];
  expect(await told(again, ...names)).toEqual({
    status: 304,
    etag,
    'cache-control': IMMUTABLE,
    'electric-handle': first.headers.get('electric-handle'),
    'electric-offset': '0_0',
    'electric-has-data': 'true',
    'electric-schema': null,
    body: '',
  });
});

test('a POST gets the bytes also when its client holds them: no cache may keep them, so none may call them unchanged', async () => {
  const { shape } = await start({ rows: [line('1')] });
  const first = await shape(BASE);
  await first.text();
  const again = await shape(BASE, { method: 'POST', headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
  expect(await told(again, 'cache-control')).toEqual({
    status: 200,
    'cache-control': 'no-cache',
    body: [...items('1'), SNAPSHOT_END_MESSAGE],
  });
});

test('the etag of an open end changes when the end moves', async () => {
  const { shape, append } = await start();
  const handle = await handleOf();
  append(handle, 100, line('1'));
  const first = await shape(`table=items&offset=0_0&handle=${handle}`);
  append(handle, 200, line('2'));
  const again = await shape(`table=items&offset=0_0&handle=${handle}`, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
  expect([first.headers.get('etag'), again.status, again.headers.get('etag')]).toEqual([
    `"${handle}:0_0:100_0"`,
    200,
    `"${handle}:0_0:200_0"`,
  ]);
});

test('a snapshot is served while it is being written, and the next chunk waits for it', async () => {
  const { shape, directory } = await start({ rows: [LONG], chunkBytesMax: 3_000 });
  directory.snapshots = 'writing';
  const first = await shape(BASE);
  const handle = first.headers.get('electric-handle') ?? '';
  const reader = first.body?.getReader();
  const opening = Buffer.from((await reader?.read())?.value ?? []).toString();

  const writer = directory.writerOf(handle);
  const second = shape(`table=items&offset=0_0&handle=${handle}`);
  await writer.write([Buffer.from(LONG)]);
  await writer.complete();
  await reader?.cancel();

  expect([opening, await told(await second, 'electric-offset', 'electric-up-to-date')]).toEqual([
    `[${LONG}`,
    { status: 200, 'electric-offset': '0_1', 'electric-up-to-date': null, body: [SNAPSHOT_END_MESSAGE] },
  ]);
});

test.each(['', '&live=true'])('who asks for a chunk that the snapshot turns out not to have gets the log behind it%s', async (live) => {
  const { shape, directory, append } = await start({ rows: [LONG] });
  directory.snapshots = 'writing';
  const first = await shape(BASE);
  const handle = first.headers.get('electric-handle') ?? '';
  const waiting = shape(`table=items&offset=0_0&handle=${handle}${live}`);
  await world.until(() => world.api.load().existing === 2 && world.clock.pendingTimers === 2); // Each waits for more of the snapshot.

  append(handle, 100, line('2'));
  await directory.writerOf(handle).complete();

  expect([await told(await waiting, 'electric-offset', 'electric-up-to-date'), await first.json()]).toEqual([
    { status: 200, 'electric-offset': '100_0', 'electric-up-to-date': '', body: [...items('2'), upToDateMessage(100)] },
    [JSON.parse(LONG), SNAPSHOT_END_MESSAGE],
  ]);
});

test('a snapshot that fails before its first row is a refetch, never a fault', async () => {
  const { shape, directory, failures } = await start();
  directory.snapshots = 'writing';
  const response = shape(BASE);
  await world.until(() => directory.created === 1);
  const [handle = ''] = [directory.find({ ...(await definition()) })];
  directory.remove(handle);
  expect([await told(await response), failures]).toEqual([{ status: 409, body: MUST_REFETCH }, []]);
});

test('a snapshot whose query fails before its first row is told as what it is', async () => {
  const { shape, directory, failures } = await start();
  directory.snapshots = 'writing';
  const response = shape(BASE);
  await world.until(() => world.api.load().existing === 1);
  directory.awaitSnapshotStart = async () => ({ outcome: 'failed', message: 'Snapshot creation failed' });
  directory.remove(directory.find(await definition()) ?? '');
  expect([await told(await response), failures]).toEqual([{ status: 503, body: { message: 'Snapshot creation failed' } }, []]);
});

test('a snapshot that makes no progress is to be asked for again, and no other shape is', async () => {
  const { shape, directory, clock, failures } = await start();
  directory.snapshots = 'writing';
  const response = shape(BASE);
  await world.until(() => world.api.load().existing === 1 && clock.pendingTimers > 0);
  clock.advance(FOLLOW_WAIT_MS);
  expect([await told(await response, 'retry-after'), failures]).toEqual([
    { status: 503, 'retry-after': '10', body: { message: expect.stringContaining('take long to come') } }, [],
  ]);
});

/** The answer to a reader whose shape goes between the start of its snapshot and the reader's first look at it. */
async function goneBeforeTheFirstLook(meanwhile = (): void => {}, inTheEnd = (): void => {}): Promise<object> {
  const { shape, directory } = world;
  directory.snapshots = 'held';
  const response = shape(BASE);
  await world.until(() => directory.pending().length === 1);
  const [handle = '' as Handle] = directory.pending();
  directory.snapshots = { outcome: 'started' };
  meanwhile();
  await directory.start(handle);
  directory.remove(handle);
  inTheEnd();
  return await told(await response, 'electric-handle', 'cache-control');
}

test('a shape that goes before its reader looks at it is a refetch of a new one, made for the purpose', async () => {
  const { directory, failures } = await start();
  const answer = await goneBeforeTheFirstLook();
  const successor = directory.find(await definition());
  expect([directory.created, answer, failures]).toEqual([
    2,
    { status: 409, 'electric-handle': successor, 'cache-control': 'public, max-age=60, must-revalidate', body: MUST_REFETCH },
    [],
  ]);
});

test('a filter that fails between the start of its snapshot and the first look at it is told as what it is', async () => {
  const { directory } = await start();
  const failed: SnapshotStart = { outcome: 'filterFailed', code: '22012', message: 'division by zero' };

  const answer = await goneBeforeTheFirstLook(undefined, () => void (directory.howItEnded = () => failed));

  expect(answer).toMatchObject({ status: 400, body: { errors: { where: ['division by zero'] } } });
});

test.each([
  ['the service has lost its database', () => world.status.set('waiting')],
  ['its table is gone', () => void world.catalog.relations.clear()],
  ['no other can be made', () => void (world.directory.refuses = true)],
])('a shape that goes while %s is a refetch of nothing yet', async (_, lose) => {
  await start();
  expect(await goneBeforeTheFirstLook(lose)).toEqual({
    status: 409, 'electric-handle': null, 'cache-control': 'public, max-age=1, must-revalidate', body: MUST_REFETCH,
  });
});

/** The definition that `BASE` means. */
async function definition() {
  const relation = world.catalog.relations.get('["public","items"]');
  return {
    relation: { oid: relation?.oid ?? 0, schema: 'public', name: 'items' },
    columns: ['id', 'value'],
    selectsAll: true,
    primaryKey: ['id'],
    reads: (relation?.columns ?? []).map(({ name, typeOid, typeMod }) => ({ name, typeOid, typeMod })),
    replica: 'default' as const,
    log: 'full' as const,
  };
}

test('a client whose handle may be the newer one is not led back to the older', async () => {
  const { shape, directory } = await start();
  const handle = await handleOf();
  const newer = handle.replace(/\d+$/, (born) => String(Number(born) + 1));
  directory.mayReplace = (wanted, found) => wanted === newer && found === handle;

  const response = await shape(`table=items&offset=0_0&handle=${newer}`);

  expect(await told(response, 'retry-after', 'electric-handle')).toEqual({
    status: 503,
    'retry-after': '1',
    'electric-handle': null,
    body: { message: 'This shape is still taking transactions that were committed before. Please try again later.' },
  });
});
