/**
 * Whatever a stranger sends to the service, the answer is a refusal that can be read or a shape, soon; the service lives on, and
 * nothing that it prints has the secret.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rawConnection } from '../support/http/raw-connection.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const SECRET = 'Vertraulich%2+ÖdD"7';
/** Everything that is told of a request has come long before. */
const ANSWER_MS_MAX = 20_000;
const directory = temporaryDirectory();

let database: TestDatabase;
let service: ServiceProcess;
let handle: string;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, name text, size numeric, tags text[], data jsonb, born timestamptz);
    CREATE TABLE parents (id int PRIMARY KEY, active boolean);
    INSERT INTO items SELECT i, 'name ' || i, i, '{a,b}', '{"a":1}', now() FROM generate_series(1, 20) i;
    INSERT INTO parents SELECT i, true FROM generate_series(1, 20) i`);
  const settings = { ARMATURE_ENABLE_DELETION: 'true', ARMATURE_LONG_POLL_TIMEOUT: '50ms' };
  const environment = { ...settings, ARMATURE_INSECURE: 'false', ARMATURE_SECRET: SECRET, ARMATURE_LOG_LEVEL: 'trace' };
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory: directory, environment });
  const response = await ask('?table=items&offset=-1', { headers: { authorization: `Bearer ${SECRET}` } });
  handle = response.headers.get('electric-handle') ?? '';
  await response.text();
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  removeDirectory(directory);
});

function ask(query: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${service.shapeUrl}${query}`, { ...init, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
}

const NAMES = [
  'table', 'offset', 'handle', 'live', 'live_sse', 'experimental_live_sse', 'cursor', 'where', 'params[1]', 'params[2]', 'params[x]',
  'params', 'columns', 'queryable_columns', 'replica', 'log', 'move_outs',
  'subset__where', 'subset__params', 'subset__limit', 'subset__offset',
  'subset__order_by', 'subset__where_expr', 'experimental_compaction', 'secret', 'api_secret', 'subset', '__proto__', 'a[b][c]',
];
const PLAUSIBLE = [
  'items', 'public.items', '"items"', 'pg_class', 'nope', '-1', 'now', '0_0', '0_inf', '5_0', '99999999999999999999_0',
  '1_99999999999999999999',
  'true', 'false', '', ' ', 'id', 'id,name', '"id","name"', 'id,id', 'default', 'full', 'changes_only', 'deletes', '1', '0', '-5',
  '1e9', 'NaN',
  'id = 1', 'id > $1', "name = 'x'", "name LIKE '%'", 'id IN (SELECT id FROM parents WHERE active)', 'id NOT IN (SELECT id FROM nope)',
  'size / 0 = 1', 'tags @> $1', "data ->> 'a' = $1", "born > '2020-01-01'", 'id = 1; DROP TABLE items',
  'id = ANY($1)', 'id DESC NULLS LAST',
  '{"1":"x"}', '{"1":5}', '[1]', '\0', 'a\0b', '\ud800', '\u{1f600}', '%00', "'", '"', '\\', '../..', '<script>', '\r\nx: y',
];
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...PLAUSIBLE) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);
const parameters = fc.array(fc.tuple(fc.constantFrom(...NAMES), text), { maxLength: 3 });
const base = fc.constantFrom(
  'table=items&offset=-1', 'table=items&offset=now', 'table=items&offset=0_0&handle=@', 'table=items&offset=0_inf&handle=@&live=true', '',
);
const json = fc.oneof(
  fc
    .dictionary(fc.constantFrom(...NAMES, 'order_by', 'limit', 'subset'), fc.oneof(text, fc.jsonValue({ maxDepth: 3 })))
    .map((object) => JSON.stringify(object)),
  fc.json({ maxDepth: 4 }),
);
const body = fc.oneof(json, fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));
const header = fc.constantFrom(
  'if-none-match', 'accept-encoding', 'origin', 'x-request-id', 'content-type', 'content-encoding', 'range', 'cookie', 'te',
);
const visible = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 80 });
const requests = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PUT'),
  base,
  parameters,
  headers: fc.dictionary(header, visible, { maxKeys: 3 }),
  body,
  way: fc.constantFrom('header', 'query', 'both', 'wrong'),
});

/** What may be said to anybody: a shape, or a refusal in JSON. */
async function isReadable(response: Response, method: string): Promise<boolean> {
  const type = response.headers.get('content-type');
  if (type === 'text/event-stream') {
    await response.body?.cancel();
    return response.status === 200;
  }
  const told = await response.text();
  if (told === '') return [200, 202, 204, 304].includes(response.status) || method === 'HEAD';
  if (response.status === 404 && told === 'Not found') return true;
  return type === 'application/json; charset=utf-8' && JSON.parse(told) !== undefined;
}

test('tunnels whose clients have gone at once end nobody', async () => {
  const port = Number(new URL(service.url).port);
  for (let count = 0; count < 50; count += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write('CONNECT x:1 HTTP/1.1\r\n\r\n');
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  const { status } = await ask('');
  expect([status, service.child.exitCode]).toEqual([401, null]);
});

test('any parameters, headers and bodies get a shape or a refusal that can be read', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, base: begin, parameters: more, headers, body: sent, way }) => {
      const query = new URLSearchParams(begin.replace('@', handle));
      for (const [name, value] of more) query.append(name, value);
      if (way === 'query' || way === 'both') query.set('secret', SECRET);
      if (way === 'wrong') query.set('secret', `${SECRET}x`);
      const held = way === 'query' ? {} : { authorization: Buffer.from(`Bearer ${SECRET}`).toString('latin1') };
      const response = await ask(`?${query}`, { method, headers: { ...headers, ...held }, ...(method === 'POST' ? { body: sent } : {}) });
      expect([response.status < 500, await isReadable(response, method)]).toEqual([true, true]);
    }),
    { numRuns: 400 },
  );
  expect((await fetch(`${service.url}/v1/health`)).status).toBe(200);
});

test('any bytes get an answer or an end, and the next request is served', async () => {
  const line = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc.constantFrom('GET', 'POST', 'host: x', 'content-length: 3', 'transfer-encoding: chunked', '{}', '0', `/v1/shape?secret=${SECRET}`),
    fc.constantFrom(`GET /v1/shape?secret=${SECRET} HTTP/1.1`, 'GET /%zz HTTP/1.1'),
    fc.constant(`POST /v1/shape?table=items&offset=-1&secret=${SECRET} HTTP/1.1`),
  );
  const port = Number(new URL(service.url).port);
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      const { socket, said } = await rawConnection(port, `${lines.join('\r\n')}\r\n\r\n`);
      socket.end();
      expect(await said).toMatch(/^$|^HTTP\/1\.1 [1-4]\d\d /);
    }),
    { numRuns: 200 },
  );
  expect((await fetch(`${service.url}/v1/health`)).status).toBe(200);
});

test('no line that was printed has the secret, however it was sent', () => {
  const inQuery = new URLSearchParams({ '': SECRET }).toString().slice(1);
  const forms = [SECRET, encodeURIComponent(SECRET), inQuery, JSON.stringify(SECRET).slice(1, -1)];
  expect(service.output().split('\n').filter((printed) => forms.some((form) => printed.includes(form)))).toEqual([]);
});
