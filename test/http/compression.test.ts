/** Bodies are coded for whoever takes it, each part of what never changes once, and are the same for all others. */
import { gunzipSync } from 'node:zlib';
import { get as request, type IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { takesGzip } from '../../src/http/accept-encoding.ts';
import { Deflater } from '../../src/http/deflater.ts';
import { gzipPieces, gzipStream } from '../../src/http/gzip-body.ts';
import { SNAPSHOT_END } from '../../src/model/log-offset.ts';
import { LSN_ZERO } from '../../src/model/lsn.ts';
import type { Handle } from '../../src/model/shape.ts';
import { itemLine } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld } from '../support/http/http-world.ts';

test.each([
  ['gzip', true], ['GZIP', true], ['x-gzip', true], ['gzip, deflate, br', true], ['br;q=1.0, gzip;q=0.5', true], ['*', true],
  ['gzip;q=0.001', true],
  [undefined, false], ['', false], ['br', false], ['deflate', false], ['gzip;q=0', false], ['gzip;q=0.000, *', false], ['*;q=0', false],
  ['identity, gzip;q=0.5', false], ['gzip;q=-1', false], ['gzip;q=2', false], ['gzip;q=x', false], ['gzip zip', false],
  ['gzip,'.repeat(1000), false],
])('accept-encoding %s', (header, takes) => {
  expect(takesGzip(header)).toBe(takes);
});

const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 5000 }), { minLength: 1, maxLength: 8 });

async function joined(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

async function* streamOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

const STAYING = { isClosed: false };

test('whatever the parts of a body are, it is read as one file of gzip', async () => {
  const deflater = new Deflater(systemClock);
  await fc.assert(
    fc.asyncProperty(pieces, fc.option(fc.string(), { nil: undefined }), async (parts, given) => {
      const body = Buffer.concat(parts);
      const sent = await joined(gzipStream(streamOf(parts), () => ({ deflater, key: undefined, client: STAYING })));
      const key = given === undefined ? undefined : given + body.toString('hex');
      const whole = Buffer.concat(await gzipPieces(parts, { deflater, key, client: STAYING }));
      expect([gunzipSync(sent), gunzipSync(whole)]).toEqual([body, body]);
    }),
  );
});

test('a part that is kept takes no more memory than its bytes, however short they are', async () => {
  const part = await new Deflater(systemClock).deflate(Buffer.alloc(250_000, 'a'), 'a', STAYING);

  expect(part?.buffer.byteLength).toBe(part?.length);
});

test('a part that never changes is deflated once, also for those who ask at once, and so is a buffer that is given again', async () => {
  const deflater = new Deflater(systemClock);
  const part = Buffer.alloc(10_000, 'a');
  const ask = (key?: string, bytes = Buffer.from(part)): Promise<Uint8Array | undefined> => deflater.deflate(bytes, key, STAYING);
  const named = new Set([...(await Promise.all([ask('a'), ask('a')])), await ask('a')]);
  const unnamed = new Set([...(await Promise.all([ask(undefined, part), ask(undefined, part)])), await ask()]);
  expect([named.size, unnamed.size]).toEqual([1, 2]);
});

test('of many parts the latest asked for are kept', async () => {
  const deflater = new Deflater(systemClock, 2_300);
  const made = new Set<Uint8Array | undefined>();
  for (const key of ['a', 'b', 'c', 'a', 'd', 'e', 'f', 'a', 'b']) {
    made.add(await deflater.deflate(Buffer.alloc(10_000, key), key, STAYING));
  }
  expect(made.size).toBe(7);
});

test.each([undefined, 'a'])('a part (key: %s) is not deflated when all who wait have gone, and is for whoever asks later', async (key) => {
  const deflater = new Deflater(systemClock);
  const others = ['x', 'y'].map((other) => deflater.deflate(Buffer.alloc(10_000, other), other, STAYING));
  const [part, leaving, alsoLeaving] = [Buffer.alloc(10_000, 'a'), { isClosed: false }, { isClosed: false }];
  const waiting = [deflater.deflate(part, key, leaving), deflater.deflate(part, key, alsoLeaving)];
  leaving.isClosed = true;
  alsoLeaving.isClosed = true;
  await Promise.all(others);
  const given = await Promise.all(waiting);
  expect([given, (await deflater.deflate(part, key, STAYING)) !== undefined]).toEqual([[undefined, undefined], true]);
});

test('a part is deflated while one of those who wait for it is there', async () => {
  const deflater = new Deflater(systemClock);
  const others = ['x', 'y'].map((other) => deflater.deflate(Buffer.alloc(10_000, other), other, STAYING));
  const [part, leaving] = [Buffer.alloc(10_000, 'a'), { isClosed: false }];
  const waiting = [deflater.deflate(part, 'a', leaving), deflater.deflate(part, 'a', STAYING)];
  leaving.isClosed = true;
  await Promise.all(others);
  const [first, second] = await Promise.all(waiting);
  expect([first === second, second !== undefined]).toEqual([true, true]);
});

interface Raw {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** As it comes: `fetch` decodes by itself. */
function raw(path: string, headers: Readonly<Record<string, string>>, method = 'GET'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    request(`${world.origin}${path}`, { headers, method, agent: false }, (response) => {
      joined(response).then((body) => resolve({ status: response.statusCode, headers: response.headers, body }), reject);
    }).on('error', reject);
  });
}

let world: HttpWorld;
let handle = '';

beforeAll(async () => {
  world = await startHttpWorld({ rows: Array.from({ length: 50 }, (_, id) => itemLine(String(id), 'first')), chunkBytesMax: 3_000 });
  handle = String((await raw('/v1/shape?table=items&offset=-1', {})).headers['electric-handle']);
  for (let lsn = 100; lsn < 140; lsn += 1) world.append(handle, lsn, itemLine(String(lsn), 'later'));
});

afterAll(() => world.close());

const GZIP = { 'accept-encoding': 'gzip' };
const of = (query: string): string => `/v1/shape?table=items&handle=${handle}&${query}`;
const without = (headers: Raw['headers'], ...names: readonly string[]): object =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !['date', 'x-request-id', ...names].includes(name)));

describe.each([
  ['a chunk of the snapshot', 'offset=-1'],
  ['another', 'offset=0_0'],
  ['a chunk of the log', 'offset=0_inf'],
  ['a live answer', 'offset=0_inf&live=true&cursor=1'],
])('of %s', (_what, query) => {
  test('who takes gzip gets the same rows, with the headers of others but for those that say so', async () => {
    const [plain, coded] = [await raw(of(query), {}), await raw(of(query), GZIP)];
    const named = ['content-encoding', 'content-length', 'transfer-encoding', 'etag', 'electric-cursor'];
    expect({
      body: gunzipSync(coded.body).equals(plain.body),
      isSmaller: coded.body.length < plain.body.length / 4,
      headers: without(coded.headers, ...named),
      told: [coded.headers['content-encoding'], plain.headers['content-encoding'], plain.headers.vary, coded.headers.etag],
    }).toEqual({
      body: true,
      isSmaller: true,
      headers: without(plain.headers, ...named),
      told: ['gzip', undefined, 'accept-encoding', `W/${plain.headers.etag}`],
    });
  });

  test('a HEAD has the headers of a GET, but for the length of what is not made for it', async () => {
    const named = ['electric-cursor', 'connection', 'content-length'];
    const [got, head] = [await raw(of(query), GZIP), await raw(of(query), GZIP, 'HEAD')];
    expect([without(head.headers, ...named), head.headers['content-length'], head.body.length]).toEqual([
      without(got.headers, ...named), undefined, 0,
    ]);
  });

  test.each([['coded', GZIP], ['plain', {}]])('the tag of a %s body is known again, and told as it was', async (_form, headers) => {
    const { headers: { etag, vary } } = await raw(of(query), headers);
    const again = await raw(of(query), { ...headers, 'if-none-match': String(etag) });
    expect([again.status, again.body.length, again.headers.etag, again.headers.vary]).toEqual([304, 0, etag, vary]);
  });
});

test('a subset that comes as a stream is coded, though its first piece is small', async () => {
  world.subsets.answer = {
    outcome: 'rows', pgSnapshot: { xmin: '1', xmax: '1', xip: [], insertLsn: LSN_ZERO }, from: SNAPSHOT_END, mayLeaveOut: true,
    rows: streamOf([Buffer.from(itemLine('1', 'x'.repeat(50_000)))]),
  };
  const { headers, body } = await raw('/v1/shape?table=items&offset=now&subset__order_by=id&subset__limit=1', GZIP);
  const { data } = JSON.parse(gunzipSync(body).toString());
  expect([headers['content-encoding'], headers.vary, data[0].value.id]).toEqual(['gzip', 'accept-encoding', '1']);
});

describe('of a chunk that is read while its first row alone is written', () => {
  let growing: HttpWorld;
  let first: Promise<Response>;

  beforeEach(async () => {
    growing = await startHttpWorld({ rows: [itemLine('1', 'a')] });
    growing.directory.snapshots = 'writing';
    first = growing.shape('table=items&offset=-1', { headers: GZIP });
    await growing.until(() => growing.clock.pendingTimers === 2); // For more rows, and for the moment in which they should come.
  });

  afterEach(() => growing.close());

  const write = async (...rows: readonly string[]): Promise<void> => {
    const [handle = ''] = growing.directory.begun();
    const writer = growing.directory.writerOf(handle);
    await writer.write(rows.map((row) => Buffer.from(row)));
    await writer.complete();
  };
  const form = (response: Response): unknown =>
    [response.headers.get('content-encoding'), response.headers.get('vary'), response.headers.get('etag')?.startsWith('W/')];

  test.each([
    ['much comes', 'x'.repeat(50_000), ['gzip', 'accept-encoding', true]],
    ['little comes', 'b', [null, null, false]],
  ])('the form is that of the whole: %s', async (_what, value, told) => {
    await write(itemLine('2', value));
    const again = await growing.shape('table=items&offset=-1', { headers: GZIP });
    expect([form(await first), form(again), await (await first).json()]).toEqual([told, told, await again.json()]);
  });

  test('it is coded when nothing more comes for a moment', async () => {
    growing.clock.advance(1_000);
    const response = await first;
    await write(itemLine('2', 'b'));
    expect([form(response), ((await response.json()) as unknown[]).length]).toEqual([['gzip', 'accept-encoding', true], 3]);
  });

  test('it is broken off where its shape ends before that is known', async () => {
    const [handle = ''] = growing.directory.begun();
    await growing.directory.delete(handle as Handle);
    await expect(first.then((response) => response.text())).rejects.toThrow(TypeError);
  });

  test('its head is told when nobody knows more of it, and waits for no further row', async () => {
    const head = growing.shape('table=items&offset=-1', { method: 'HEAD', headers: GZIP });
    await growing.until(() => growing.clock.pendingTimers === 4);
    growing.clock.advance(1_000);
    const { status } = await head;
    const told = form(await head);
    await write(itemLine('2', 'b'));
    await (await first).text();
    expect([status, told]).toEqual([200, ['gzip', 'accept-encoding', true]]);
  });
});

test.each([
  ['a small body', 'offset=now'],
  ['an error', 'offset=-2'],
])('%s goes as it is', async (_what, query) => {
  const { headers, body } = await raw(of(query), GZIP);
  expect([headers['content-encoding'], headers.vary, JSON.parse(body.toString()) !== undefined]).toEqual([undefined, undefined, true]);
});

test.each(['etag', 'vary', 'content-encoding'])('an origin that is named as a header, %s, is told back as it is', async (origin) => {
  const { status, headers, body } = await raw(of('offset=-1'), { ...GZIP, origin });
  const told = [status, headers['access-control-allow-origin'], headers['content-encoding'], gunzipSync(body).length > 0, world.failures];
  expect(told).toEqual([200, origin, 'gzip', true, []]);
});

test('an event stream goes as it is, whatever its client takes', async () => {
  const leaving = new AbortController();
  const { headers, body } = await world.get(of('offset=0_inf&live=true&live_sse=true'), { headers: GZIP, signal: leaving.signal });
  const first = await body?.getReader().read();
  leaving.abort();
  expect([headers.get('content-encoding'), Buffer.from(first?.value ?? []).toString().slice(0, 6)]).toEqual([null, 'data: ']);
});
