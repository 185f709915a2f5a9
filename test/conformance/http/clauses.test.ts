/** Every clause of docs/protocol.md, asked of the service over HTTP. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ACCESS } from './clauses/access.ts';
import { CACHES } from './clauses/caches.ts';
import { ENDS } from './clauses/ends.ts';
import { EXPLAINING } from './clauses/explaining.ts';
import { FILTERS } from './clauses/filters.ts';
import { LIVE } from './clauses/live.ts';
import { PARAMETERS } from './clauses/parameters.ts';
import { READING } from './clauses/reading.ts';
import { STREAMS } from './clauses/streams.ts';
import { SUBQUERIES } from './clauses/subqueries.ts';
import { SUBSETS } from './clauses/subsets.ts';
import { TABLES } from './clauses/tables.ts';
import { VALUES } from './clauses/values.ts';
import type { Served } from './clause.ts';
import { HELD_ELSEWHERE } from './held-elsewhere.ts';

const CLAUSES = [
  ...ACCESS, ...PARAMETERS, ...FILTERS, ...READING, ...VALUES, ...LIVE, ...STREAMS, ...CACHES, ...ENDS, ...TABLES,
  ...SUBQUERIES, ...SUBSETS, ...EXPLAINING,
];
const CASES = CLAUSES.flatMap(({ clause, cases }) => cases.map((each) => ({ clause, ...each })));
const PAGE = new URL('../../../docs/protocol.md', import.meta.url);

const services: ServiceInProcess[] = [];
const databases: TestDatabase[] = [];
let served: Served;

async function start(flags: Readonly<Record<string, string | true>>) {
  const database = await createDatabase();
  databases.push(database);
  await database.query(`
    CREATE TABLE items (id uuid PRIMARY KEY, value text);
    CREATE TABLE wide (id bigint PRIMARY KEY, value1 text NOT NULL, value2 text NOT NULL);
    CREATE SCHEMA "odd ""table"""; CREATE TABLE "odd ""table"""."a.b" (id int PRIMARY KEY)`);
  const service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'enable-deletion': true, ...flags } });
  services.push(service);
  return { url: service.url, database };
}

beforeAll(async () => {
  const open = await start({
    'long-poll-timeout': '2s',
    'shape-chunk-bytes-threshold': '1000000',
    'publication-refresh-period': '200ms', // A table that is dropped takes its place in the publication along: only a look finds it.
  });
  served = { ...open, guardedUrl: (await start({ insecure: 'false', secret: 'S3cret' })).url };
});

afterAll(async () => {
  for (const service of services) await service.remove();
  for (const database of databases) await database.drop();
});

test.each(CASES)('$clause: $asks', async ({ run, gives }) => {
  expect(await run(served)).toEqual(gives);
});

test('docs/protocol.md has the clauses that are held, and no others', () => {
  const written = [...readFileSync(PAGE, 'utf8').matchAll(/^- \*\*(\d+\.\d+)\*\* /gm)].map(([, clause]) => clause);
  const held = new Set([...CLAUSES.map(({ clause }) => clause), ...Object.keys(HELD_ELSEWHERE)]);
  const missing = Object.values(HELD_ELSEWHERE).filter((path) => !existsSync(new URL(`../../../${path}`, import.meta.url)));
  expect({ written: [...written].sort(), missing }).toEqual({ written: [...held].sort(), missing: [] });
});
