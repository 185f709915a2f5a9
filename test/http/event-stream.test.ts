/** The wire: event streams, from their first header to each of their ends. */
import { afterEach, describe, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import type { Handle } from '../../src/model/shape.ts';
import { memoryStorage } from '../../src/storage/memory-storage.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import { itemLine, SNAPSHOT_END_MESSAGE, upToDateMessage } from '../support/http/api-world.ts';
import { EventReader } from '../support/http/event-reader.ts';
import { startHttpWorld, told, until, type HttpWorld, type HttpWorldOptions } from '../support/http/http-world.ts';
import { rawConnection } from '../support/http/raw-connection.ts';
import { ManualClock } from '../support/manual-clock.ts';

const KEEP_ALIVE_MS = 21_000;
const STREAM_AGE_MS = 60_000;
/** So long who has begun to read a shape that ends reads on. */
const READ_ON_MS = 60_000;
const line = (id: string): string => itemLine(id, 'v');
const items = (...ids: readonly string[]): object[] => ids.map((id) => JSON.parse(line(id)));

let world: HttpWorld;
let handle: string;

/** A world with a shape of all items, whose log has ended with row 1 at LSN 100. */
async function start(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  world = await startHttpWorld(options);
  const response = await world.shape('table=items&offset=-1');
  await response.text();
  handle = response.headers.get('electric-handle') ?? '';
  world.append(handle, 100, line('1'));
  return world;
}

const streamPath = (offset: string, more = ''): string =>
  `table=items&offset=${offset}&handle=${handle}&live=true&live_sse=true${more}`;
const open = (offset = '100_0', more = '', init?: RequestInit): Promise<Response> => world.shape(streamPath(offset, more), init);
const events = async (offset?: string, more?: string): Promise<EventReader> => new EventReader(await open(offset, more));

afterEach(() => world.close());

const FLAGS = ['live_sse=true', 'live_sse', 'experimental_live_sse=true'];

test.each(FLAGS)('%s opens a stream, and says so before anything comes', async (flag) => {
  await start();
  const response = await world.shape(`table=items&offset=100_0&handle=${handle}&live=true&${flag}`);
  const names = [
    'content-type', 'connection', 'transfer-encoding', 'cache-control', 'x-accel-buffering', 'electric-handle', 'electric-offset',
    'electric-up-to-date', 'electric-has-data', 'electric-schema',
  ];
  const headers = Object.fromEntries(names.map((name) => [name, response.headers.get(name)]));
  expect({ status: response.status, ...headers, cursor: response.headers.has('electric-cursor') }).toEqual({
    status: 200,
    'content-type': 'text/event-stream',
    connection: 'keep-alive',
    'transfer-encoding': 'chunked',
    'cache-control': 'public, max-age=59',
    'x-accel-buffering': 'no',
    'electric-handle': handle,
    'electric-offset': '100_0',
    'electric-up-to-date': '',
    'electric-has-data': 'true',
    'electric-schema': null,
    cursor: true,
  });
});

test('a stream is answered for as long as it is open, and a poll that hangs is not', async () => {
  await start();
  const poll = world.shape(`table=items&offset=100_0&handle=${handle}&live=true`);
  await world.untilParked(1);
  const hanging = world.api.answering();
  await events();
  await world.untilParked(2);

  expect([hanging, world.api.answering()]).toEqual([0, 1]);
  world.append(handle, 101, line('2'));
  await poll;
});

describe('a service that is not well', () => {
  const NOT_UP_TO_DATE = { status: 503, 'retry-after': '10', body: { code: 'not_up_to_date', message: expect.any(String) } };
  const fallIll = (): void => {
    world.status.meet('readable');
    world.status.set('starting');
  };

  test('opens no stream for who has all that is stored, once that has lasted', async () => {
    await start();
    fallIll();
    const response = open();
    await until(() => world.status.waitingCount === 1);
    world.clock.advance(5_000);
    expect(await told(await response, 'retry-after')).toEqual(NOT_UP_TO_DATE);
  });

  test('opens none either while it waits for the lock', async () => {
    await start();
    world.status.set('waiting');
    const response = open();
    await until(() => world.status.waitingCount === 1);
    world.clock.advance(5_000);
    expect(await told(await response, 'retry-after')).toEqual(NOT_UP_TO_DATE);
  });

  test('opens it as soon as it is well again', async () => {
    await start();
    fallIll();
    const response = open();
    await until(() => world.status.waitingCount === 1);
    world.status.set('active');
    expect((await response).status).toBe(200);
  });

  test('opens one that ends at once when the server closes meanwhile', async () => {
    await start();
    fallIll();
    const response = open();
    await until(() => world.status.waitingCount === 1);
    const closed = world.close();
    world.status.set('active');
    const end = await new EventReader(await response).untilOver();
    await closed;
    expect([(await response).status, end]).toEqual([200, 'ended']);
  });

  test('gives what is stored to who is behind', async () => {
    await start();
    fallIll();
    const stream = await events('0_0');
    expect(await stream.first(2)).toEqual([...items('1'), upToDateMessage(101)]);
  });
});

test('each transaction is told with an up-to-date behind it, of an LSN behind its last operation', async () => {
  await start();
  const stream = await events();
  await world.untilParked(1);
  world.append(handle, 200, line('2'), line('3'));
  await stream.first(3);
  world.append(handle, 300, line('4'));
  expect(await stream.first(5)).toEqual([...items('2', '3'), upToDateMessage(201), ...items('4'), upToDateMessage(301)]);
});

test('a reader who is behind gets the log first, and is told from there on', async () => {
  await start({ chunkBytesMax: 10, rows: [line('0')] });
  world.append(handle, 200, line('2'), line('3'));
  const response = await open('0_0');
  const stream = new EventReader(response);
  await world.untilParked(1);
  world.append(handle, 300, line('4'));
  expect({
    messages: await stream.first(7),
    offset: response.headers.get('electric-offset'),
    upToDate: response.headers.get('electric-up-to-date'),
    end: stream.end,
  }).toEqual({
    messages: [SNAPSHOT_END_MESSAGE, ...items('1', '2', '3'), upToDateMessage(201), ...items('4'), upToDateMessage(301)],
    offset: '0_0',
    upToDate: null,
    end: undefined,
  });
});

test.each([
  ['a stream', 'live=true&live_sse=true'],
  ['a poll', 'live=true'],
  ['a read', 'live=false'],
])('%s goes on from the offset that a client makes of an up-to-date', async (_what, flags) => {
  await start();
  world.append(handle, 200, line('2'), line('3'));
  const response = await world.shape(`table=items&offset=101_0&handle=${handle}&${flags}`);
  const again = flags.includes('sse') ? await new EventReader(response).first(3) : await response.json();
  expect(again).toEqual([...items('2', '3'), upToDateMessage(flags.includes('sse') ? 201 : 200)]);
});

test.each(['101_0', '1_0'])('nothing is missing behind %s, which no log has, and nothing comes twice', async (offset) => {
  world = await startHttpWorld();
  const first = await world.shape('table=items&offset=-1');
  await first.text();
  handle = first.headers.get('electric-handle') ?? '';
  if (offset === '101_0') world.append(handle, 100, line('1'));
  const [stream, poll] = [await events(offset), world.shape(`table=items&offset=${offset}&handle=${handle}&live=true`)];
  await world.untilParked(2);
  world.append(handle, 200, line('2'));
  expect([await stream.first(2), await (await poll).json()]).toEqual([
    [...items('2'), upToDateMessage(201)],
    [...items('2'), upToDateMessage(200)],
  ]);
});

test('what a client was told is waited for when the log has yet to come to it again', async () => {
  await start();
  const stream = events('201_0');
  await world.untilParked(1);
  world.append(handle, 200, line('2'));
  await world.untilParked(1);
  world.append(handle, 300, line('3'));
  expect(await (await stream).first(2)).toEqual([...items('3'), upToDateMessage(301)]);
});

test('a quiet stream says from time to time that it lives, and ends in good order when it is old', async () => {
  await start();
  const stream = await events();
  await world.untilParked(1);
  world.clock.advance(KEEP_ALIVE_MS - 1);
  world.append(handle, 200, line('2'));
  await stream.first(2);
  world.clock.advance(KEEP_ALIVE_MS - 1);
  const early = [...stream.comments];
  world.clock.advance(1);
  await until(() => stream.comments.length > 0);
  world.clock.advance(STREAM_AGE_MS);
  const end = await stream.untilOver();
  expect({ early, comments: stream.comments, end, load: world.api.load(), timers: world.clock.pendingTimers }).toEqual({
    early: [],
    comments: [': keep-alive'],
    end: 'ended',
    load: { initial: 0, existing: 0, parked: 0 },
    timers: 0,
  });
});

test('a stream that waits for the rows of a snapshot says that it lives, however old it is by then', async () => {
  world = await startHttpWorld({ rows: [line('0')], chunkBytesMax: 10 });
  world.directory.snapshots = 'writing';
  const first = await world.shape('table=items&offset=-1');
  await first.text();
  handle = first.headers.get('electric-handle') ?? '';
  const stream = await events('0_0');
  await world.until(() => world.clock.pendingTimers === 2); // That of the stream, and that of its wait for the snapshot.
  for (let count = 1; count <= 2; count += 1) {
    world.clock.advance(KEEP_ALIVE_MS);
    await until(() => stream.comments.length === count);
  }
  await world.directory.writerOf(handle).complete();
  expect([await stream.first(2), stream.comments]).toEqual([
    [SNAPSHOT_END_MESSAGE, upToDateMessage(1)],
    [': keep-alive', ': keep-alive'],
  ]);
});

test('a comment stands within no event', async () => {
  await start();
  const slow = await rawConnection(world.port, `GET /v1/shape?${streamPath('100_0')} HTTP/1.1\r\nhost: x\r\n\r\n`);
  slow.socket.pause();
  await world.untilParked(1);
  world.append(handle, 200, itemLine('2', 'x'.repeat(16 * 1024 * 1024)));
  await world.until(() => world.api.load().parked === 0);
  await world.until(() => world.clock.pendingTimers === 2); // It waits for its client in the middle of a row.
  world.clock.advance(KEEP_ALIVE_MS);
  slow.socket.resume();
  await world.untilParked(1);
  world.clock.advance(STREAM_AGE_MS);
  slow.socket.end();
  const events = (await slow.said).split('\r\n\r\n')[1]?.replace(/^[0-9a-f]+\r\n|\r\n[0-9a-f]+\r\n/g, '').split('\n\n') ?? [];
  expect(events.map((event) => event.replace(/x+/, 'x')).filter((event) => !event.startsWith(':'))).toEqual([
    `data: ${itemLine('2', 'x')}`,
    `data: ${JSON.stringify(upToDateMessage(201))}`,
    '\r\n0',
  ]);
});

test('a stream that is never quiet ends behind an up-to-date when it is old', async () => {
  await start();
  const stream = await events();
  await world.untilParked(1);
  for (const lsn of [200, 300]) {
    world.append(handle, lsn, line(String(lsn)));
    await stream.first(lsn / 50 - 2);
    world.clock.advance(STREAM_AGE_MS / 2 - 1);
  }
  world.clock.advance(2);
  world.append(handle, 400, line('400'));
  expect([await stream.untilOver(), stream.messages.at(-1)]).toEqual(['ended', upToDateMessage(301)]);
});

test('a stream that has brought much ends behind an up-to-date', async () => {
  await start({ streams: true });
  const megabyte = 'x'.repeat(1024 * 1024);
  world.append(handle, 200, ...Array.from({ length: 64 }, (_, id) => itemLine(String(id), megabyte)));
  const stream = await events();
  expect([await stream.untilOver(), stream.messages.length, stream.messages.at(-1)]).toEqual(['ended', 65, upToDateMessage(201)]);
});

test('a stream that is given much as it comes ends behind an up-to-date', async () => {
  await start();
  const stream = await rawConnection(world.port, `GET /v1/shape?${streamPath('100_0')} HTTP/1.1\r\nhost: x\r\n\r\n`);
  await world.untilParked(1);
  const value = 'x'.repeat(240_000);
  let transactions = 0;
  while (transactions < 300 && world.api.load().parked === 1) {
    transactions += 1;
    world.append(handle, 100 + 100 * transactions, itemLine('2', value));
    await until(() => stream.socket.bytesRead > transactions * value.length);
  }
  stream.socket.end();
  const end = (await stream.said).slice(-200);
  expect([transactions, end]).toEqual([280, expect.stringMatching(/"global_last_seen_lsn":"28101"\}\}\s+0\s+$/)]);
});

test('a fault of ours that the streams of a shape meet cuts them off, and is told', async () => {
  const storage = memoryStorage();
  await start({ storage });
  const stream = await events();
  await world.untilParked(1);
  const log = storage.shapes.get(handle as Handle);
  invariant(log !== undefined, 'the shape is there');
  log.read = () => {
    throw new Error('a fault');
  };
  world.append(handle, 200, line('2'));
  expect([await stream.untilOver(), world.failures]).toEqual(['cut off', [new Error('a fault')]]);
});

test('a shape that has ended for long ends the stream of who still reads its log, in good order', async () => {
  const clock = new ManualClock();
  await start({ storage: await openStorage({ directory: '/data', clock, disk: new MemoryDisk().mount() }) });
  const slow = await rawConnection(world.port, `GET /v1/shape?${streamPath('100_0')} HTTP/1.1\r\nhost: x\r\n\r\n`);
  slow.socket.pause();
  await world.untilParked(1);
  world.append(handle, 200, ...Array.from({ length: 16 }, (_, id) => itemLine(String(id), 'x'.repeat(1024 * 1024))));
  await world.until(() => world.api.load().parked === 0);
  world.directory.remove(handle);
  clock.advance(READ_ON_MS);
  slow.socket.resume();
  await world.until(() => world.api.load().existing === 0);
  slow.socket.end();
  expect([(await slow.said).endsWith('\r\n0\r\n\r\n'), world.failures]).toEqual([true, []]);
});

test.each([
  ['in memory', false],
  ['on a disk', true],
])('a shape that ends, %s, ends its streams, and their clients get the 409', async (_where, streams) => {
  await start({ streams });
  const stream = await events();
  await world.untilParked(1);
  world.directory.remove(handle);
  const end = await stream.untilOver();
  expect([end, stream.messages, await told(await open(), 'content-type')]).toEqual([
    'ended',
    [],
    { status: 409, 'content-type': 'application/json; charset=utf-8', body: [{ headers: { control: 'must-refetch' } }] },
  ]);
});

test('closing ends the streams in good order', async () => {
  await start();
  const stream = await events();
  await world.untilParked(1);
  const closed = world.close();
  const end = await stream.untilOver();
  await closed;
  expect([end, world.failures]).toEqual(['ended', []]);
});

test('a client that goes leaves nothing behind', async () => {
  await start();
  const controllers = Array.from({ length: 20 }, () => new AbortController());
  for (const { signal } of controllers) await open('100_0', '', { signal });
  await world.untilParked(20);
  for (const controller of controllers) controller.abort();
  await world.until(() => world.api.load().existing === 0);
  expect([world.api.load(), world.clock.pendingTimers]).toEqual([{ initial: 0, existing: 0, parked: 0 }, 0]);
});

test('a stream counts among the readers of existing shapes for as long as it is open', async () => {
  await start({ settings: { maxConcurrentRequests: { initial: 300, existing: 1 } } });
  const stream = await open();
  await world.untilParked(1);
  const second = await open();
  await stream.body?.cancel();
  await world.until(() => world.api.load().existing === 0);
  expect([second.status, (await open()).status]).toEqual([503, 200]);
});

test('HEAD has the headers of a stream, and waits for nothing', async () => {
  await start();
  const response = await open('100_0', '', { method: 'HEAD' });
  expect([response.status, response.headers.get('content-type'), await response.text(), world.api.load().parked]).toEqual([
    200,
    'text/event-stream',
    '',
    0,
  ]);
});

test('a stream of what the client has already says so, and is never a 304', async () => {
  await start();
  const etag = (await open()).headers.get('etag') ?? '';
  const response = await open('100_0', '', { headers: { 'if-none-match': `${etag}, "${handle}:100_0:100_0"` } });
  expect(response.status).toBe(200);
});

test('a client that stops reading is cut off, and the others are not', async () => {
  await start();
  const silent = await rawConnection(world.port, `GET /v1/shape?${streamPath('100_0')} HTTP/1.1\r\nhost: x\r\n\r\n`);
  silent.socket.pause();
  const reader = await events();
  await world.untilParked(2);
  const value = 'x'.repeat(200_000);
  let transactions = 0;
  while (world.api.load().parked === 2) {
    transactions += 1;
    world.append(handle, 200 + 100 * transactions, itemLine('2', value));
    await reader.first(2 * transactions);
  }
  world.append(handle, 1_000_000, line('3'));
  const last = (await reader.first(2 * transactions + 2)).at(-1);
  await world.until(() => world.api.load().existing === 1);
  silent.socket.destroy();
  expect([last, world.failures]).toEqual([upToDateMessage(1_000_001), []]);
});

test('a client that reads slowly gets a log that is longer than what is held for it', async () => {
  await start();
  const value = 'x'.repeat(1024 * 1024);
  const slow = await rawConnection(world.port, `GET /v1/shape?${streamPath('100_0')} HTTP/1.1\r\nhost: x\r\n\r\n`);
  slow.socket.pause();
  await world.untilParked(1);
  world.append(handle, 200, ...Array.from({ length: 16 }, (_, id) => itemLine(String(id), value)));
  await world.until(() => world.api.load().parked === 0);
  slow.socket.resume();
  await world.untilParked(1);
  world.clock.advance(STREAM_AGE_MS);
  slow.socket.end();
  const said = await slow.said;
  expect([said.match(/\ndata: /g)?.length, said.includes('"global_last_seen_lsn":"201"')]).toEqual([17, true]);
});
