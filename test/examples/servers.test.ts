/** The examples behind servers of others, with the client that people use: it gets its own rows, and leaves nothing behind. */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { Shape, ShapeStream } from '@electric-sql/client';
import { startService, type Service } from 'armature';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as express from '../../examples/in-express/server.ts';
import * as fastify from '../../examples/in-fastify/server.ts';
import * as hono from '../../examples/in-hono/server.ts';
import * as node from '../../examples/in-node-http/server.ts';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';

const SERVERS = [
  { name: 'node:http', ...node }, { name: 'Fastify', ...fastify }, { name: 'Hono', ...hono }, { name: 'Express', ...express },
];
const ADA = { authorization: 'Bearer ada' };

let database: TestDatabase;
let service: Service;
let server: Server;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE issues (id integer PRIMARY KEY, team text);
    INSERT INTO issues VALUES (1, 'blue'), (2, 'red')`);
  const replicationStreamId = streamIdOf(database.url);
  service = await startService({ databaseUrl: database.url, replicationStreamId, storage: 'memory', logger: 'silent', listen: false });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

afterAll(async () => {
  await service.stop();
  await database.drop();
});

async function start(startServer: (typeof SERVERS)[number]['startServer']): Promise<string> {
  server = await startServer(service, 0);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/shapes/issues`;
}

function idsOf(shape: Shape): unknown[] {
  return shape.currentRows.map(({ id }) => Number(id)).sort((left, right) => left - right);
}

test.each(SERVERS)('behind $name a client has the rows of its team, live, and is gone when it leaves', async ({ startServer }) => {
  const url = await start(startServer);
  const leaving = new AbortController();
  const followed = [false, true].map((liveSse) => {
    const stream = new ShapeStream({ url, headers: ADA, params: { table: 'secrets' }, liveSse, signal: leaving.signal });
    // @ts-expect-error its type does not know that an optional property may be there and undefined.
    return new Shape(stream);
  });
  await Promise.all(followed.map((shape) => shape.rows));
  const first = followed.map(idsOf);

  await database.query("INSERT INTO issues SELECT max(id) + 1, 'blue' FROM issues");
  const expected = await database.query("SELECT id FROM issues WHERE team = 'blue' ORDER BY id");
  const ids = expected.map(({ id }) => id as number);
  await expect.poll(() => followed.map(idsOf)).toEqual([ids, ids]);
  await expect.poll(() => service.load().parked).toBe(2);
  leaving.abort();
  await expect.poll(() => service.load()).toEqual({ initial: 0, existing: 0, parked: 0 });

  expect(first).toEqual([ids.slice(0, -1), ids.slice(0, -1)]);
});

test.each(SERVERS)('behind $name all else is told as over the own port', async ({ startServer }) => {
  const url = await start(startServer);
  const head = await fetch(`${url}?offset=-1`, { method: 'HEAD', headers: ADA });
  const posted = await fetch(`${url}?offset=-1`, { method: 'POST', headers: ADA, body: '{"columns":["id"]}' });
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'http://other' } });
  const stranger = await fetch(`${url}?offset=-1`);

  const [first] = (await posted.json()) as { value: unknown }[];
  const answers = [head, posted, preflight, stranger].map(({ status }) => status);
  expect({ answers, handle: head.headers.has('electric-handle'), value: first?.value }).toEqual({
    answers: [200, 200, 204, 403],
    handle: true,
    value: { id: '1' },
  });
});
