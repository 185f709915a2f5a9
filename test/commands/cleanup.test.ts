/** `armature cleanup` behind real services: what it takes away, what it leaves, and that a service can begin again behind it. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CleanupStep } from '../../src/postgres/cleanup/cleanup-step.ts';
import { runTool, type ToolOutcome } from '../support/commands/run-tool.ts';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess } from '../support/service/service.ts';

const HOSTILE = 'a"b; DROP TABLE items --\u001b[2J';
let database: TestDatabase;
let slot: string;
let publication: string;

beforeAll(async () => {
  database = await createDatabase();
  slot = `electric_slot_${streamIdOf(database.url)}`;
  publication = `electric_publication_${streamIdOf(database.url)}`;
});
beforeEach(() => database.query(`
  SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${slot}';
  DROP PUBLICATION IF EXISTS ${publication}; DROP PUBLICATION IF EXISTS others;
  DROP SCHEMA public CASCADE; CREATE SCHEMA public;
  CREATE TABLE items (id integer PRIMARY KEY); CREATE TABLE keyless (id integer); CREATE TABLE ${quoted(HOSTILE)} (id integer PRIMARY KEY);
  CREATE TABLE days (id integer PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE monday PARTITION OF days FOR VALUES FROM (0) TO (9)`));
afterAll(() => database.drop());

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A service that had shapes on these tables, and was stopped. */
async function served(...tables: readonly string[]): Promise<void> {
  const service = await startServiceInProcess({ databaseUrl: database.url });
  for (const table of tables) await (await fetch(`${service.shapeUrl}?table=${encodeURIComponent(quoted(table))}&offset=-1`)).text();
  await service.remove();
}

/** With the mark that a service leaves, or without one. */
async function publish(tables: string, mark?: string): Promise<void> {
  await database.query(`CREATE PUBLICATION ${publication} ${tables}`);
  if (mark === undefined) return;
  const [system] = await database.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()');
  await database.query(`COMMENT ON PUBLICATION ${publication} IS '${mark} ${slot} of system ${system?.id}.'`);
}

const MARK = 'Armature made the replication slot';

async function cleanup(...words: readonly string[]): Promise<ToolOutcome> {
  const environment = { DATABASE_URL: database.url, ELECTRIC_REPLICATION_STREAM_ID: streamIdOf(database.url) };
  return await runTool(['cleanup', ...words], environment);
}

async function outcomes(...words: readonly string[]): Promise<{ code: number; steps: readonly string[] }> {
  const { code, printed } = await cleanup(...words, '--json');
  const { steps } = JSON.parse(printed) as { steps: readonly CleanupStep[] };
  return { code, steps: steps.map(({ what, name, outcome }) => `${what} ${what === 'table' ? name : ''}: ${outcome}`) };
}

interface Left {
  readonly slots: number;
  readonly publications: number;
  readonly full: readonly string[];
}

async function left(): Promise<Left | undefined> {
  const [found] = await database.query<Left & Record<string, unknown>>(`
    SELECT (SELECT count(*)::int FROM pg_replication_slots WHERE slot_name = '${slot}') AS slots,
           (SELECT count(*)::int FROM pg_publication WHERE pubname = '${publication}') AS publications,
           (SELECT coalesce(array_agg(relname::text ORDER BY relname), '{}') FROM pg_class WHERE relreplident = 'f') AS full`);
  return found;
}

test('what a stopped service has left is taken away: slot, identities of its tables and their partitions, publication', async () => {
  await served('items', HOSTILE, 'days', 'keyless');
  const before = await left();

  const cleaned = await cleanup();

  const again = await outcomes();
  expect({ before, code: cleaned.code, isQuiet: !/[^\P{Cc}\n]/u.test(cleaned.printed), after: await left(), again }).toEqual({
    before: { slots: 1, publications: 1, full: [HOSTILE, 'items', 'keyless', 'monday'] },
    code: 0,
    isQuiet: true,
    after: { slots: 0, publications: 0, full: [] },
    again: { code: 0, steps: ['slot : absent', 'publication : absent'] },
  });
});

test('a service that begins behind it has everything again', async () => {
  await served('items');
  await cleanup();

  await served('items');

  expect(await left()).toEqual({ slots: 1, publications: 1, full: ['items'] });
});

test('a dry run says what would be done, and does nothing', async () => {
  await served('items');
  const before = await left();

  const { code, printed } = await cleanup('--dry-run');

  const wouldRemove = printed.match(/would remove/g)?.length;
  expect({ code, wouldRemove, after: await left() }).toEqual({ code: 0, wouldRemove: 3, after: before });
});

test('while a service works with the slot nothing is touched, and its holder is named, whatever limits on time a session has', async () => {
  await database.query(`ALTER DATABASE ${database.name} SET statement_timeout = '2s'`);
  const service = await startServiceInProcess({ databaseUrl: database.url });
  await (await fetch(`${service.shapeUrl}?table=items&offset=-1`)).text();

  const { code, printed } = await cleanup();

  const after = await left();
  await service.remove();
  await database.query(`ALTER DATABASE ${database.name} RESET statement_timeout`);
  expect({ code, printed, after }).toEqual({
    code: 1,
    printed: expect.stringMatching(/^REFUSED .*held by process \d+ of the server \(armature .*Stop it first/) as string,
    after: { slots: 1, publications: 1, full: ['items'] },
  });
});

test('a stream that ends while it is looked at stands in nobody\'s way, and one that goes on is named', async () => {
  await database.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput'); CREATE PUBLICATION ${publication}`);
  const reader = new pg.Client({ connectionString: database.url, replication: 'database' } as pg.ClientConfig);
  reader.on('error', () => {});
  await reader.connect();
  const options = `(proto_version '1', publication_names '${publication}')`;
  void reader.query(`START_REPLICATION SLOT ${slot} LOGICAL 0/0 ${options}`).catch(() => {}); // It ends with its connection.
  await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`);

  const { code, printed } = await cleanup('--take-over-slot');
  const ending = outcomes('--take-over-slot');
  await database.until("SELECT FROM pg_stat_activity WHERE application_name = 'armature cleanup' AND backend_type = 'walsender'");
  reader.connection.stream.destroy();

  expect({ code, printed, ended: await ending }).toEqual({
    code: 1,
    printed: expect.stringMatching(/^REFUSED {2}Process \d+ of the server streams from/) as string,
    ended: { code: 0, steps: ['slot : removed', 'publication : removed'] },
  });
});

test('a table that is busy, or that others publish, keeps what it has, and the publication stays for the next run', async () => {
  await served('items', 'days', HOSTILE);
  await database.query(`CREATE PUBLICATION others FOR TABLE ${quoted(HOSTILE)}, days WITH (publish_via_partition_root = true)`);
  const writer = await database.session();
  await writer.query('BEGIN; INSERT INTO items VALUES (1)');
  const first = await outcomes();
  await writer.query('ROLLBACK');

  const second = await outcomes();

  expect({ first, second, after: await left() }).toEqual({
    first: {
      code: 1,
      steps: [
        'slot : removed', `table "public".${quoted(HOSTILE)}: kept`, 'table "public"."items": refused', 'table "public"."monday": kept',
        'publication : kept',
      ],
    },
    second: {
      code: 0,
      steps: [
        'slot : absent', `table "public".${quoted(HOSTILE)}: kept`, 'table "public"."items": removed', 'table "public"."monday": kept',
        'publication : removed',
      ],
    },
    after: { slots: 0, publications: 0, full: [HOSTILE, 'monday'] },
  });
});

test('a table without a primary key can be updated at each moment: it goes with the publication, or stays with it', async () => {
  await served('keyless', 'items');
  const writer = await database.session();
  await writer.query('BEGIN; INSERT INTO items VALUES (1)');
  const first = await outcomes();
  await database.query('UPDATE keyless SET id = 1');
  const between = await left();
  await writer.query('ROLLBACK');

  const second = await outcomes();

  await database.query('UPDATE keyless SET id = 2');
  expect({ first, between, second, after: await left() }).toEqual({
    first: { code: 1, steps: ['slot : removed', 'table "public"."items": refused', 'publication : kept'] },
    between: { slots: 0, publications: 1, full: ['items', 'keyless'] },
    second: { code: 0, steps: ['slot : absent', 'table "public"."items": removed', 'publication : removed'] },
    after: { slots: 0, publications: 0, full: [] },
  });
});

test('what bears no mark is left, with all that goes with it, unless it is to be taken over', async () => {
  await database.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput'); ALTER TABLE items REPLICA IDENTITY FULL`);
  await publish('FOR TABLE items');

  const withSlot = await cleanup();
  await database.query(`SELECT pg_drop_replication_slot('${slot}')`);
  const withoutSlot = await outcomes();
  const before = await left();
  const taken = await outcomes('--take-over-slot');

  expect({ withSlot: withSlot.code, withoutSlot, before, taken, after: await left() }).toEqual({
    withSlot: 1,
    withoutSlot: { code: 0, steps: ['slot : absent', 'publication : kept'] },
    before: { slots: 0, publications: 1, full: ['items'] },
    taken: { code: 0, steps: ['slot : absent', 'table "public"."items": removed', 'publication : removed'] },
    after: { slots: 0, publications: 0, full: [] },
  });
  expect(withSlot.printed).toMatch(/^REFUSED {2}Nothing says whose the replication slot .* run this again with --take-over-slot\.\n/);
});

test.each([
  ['published manually', 'FOR TABLE items', ['--manual-table-publishing']],
  ['for all tables', 'FOR ALL TABLES', []],
])('tables of a publication that is %s stay as they are', async (_, tables, words) => {
  await publish(tables, MARK);
  await database.query('ALTER TABLE items REPLICA IDENTITY FULL');

  const { code, steps } = await outcomes(...words);

  expect({ code, steps, after: await left() }).toEqual({
    code: 0,
    steps: ['slot : absent', 'publication : kept'],
    after: { slots: 0, publications: 1, full: ['items'] },
  });
});

test('tables that are FULL and in no publication are named, with what to run', async () => {
  await database.query('ALTER TABLE items REPLICA IDENTITY FULL; ALTER TABLE keyless REPLICA IDENTITY FULL');

  const { code, printed } = await cleanup();

  const statements = ['items', 'keyless'].map((table) => `ALTER TABLE ONLY "public"."${table}" REPLICA IDENTITY DEFAULT;`).join(' ');
  expect({ code, isNamed: printed.includes(statements), after: await left() }).toEqual({
    code: 0,
    isNamed: true,
    after: { slots: 0, publications: 0, full: ['items', 'keyless'] },
  });
});

test('what was done before the connection broke is told', async () => {
  await served('items', HOSTILE);
  const writer = await database.session();
  await writer.query('BEGIN; INSERT INTO items VALUES (1)');
  const cleaning = cleanup('--json');
  await database.until(`SELECT FROM pg_stat_activity WHERE application_name = 'armature cleanup' AND wait_event_type = 'Lock'`);
  await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'armature cleanup'`);

  const { code, printed, complaints } = await cleaning;

  const { done, steps } = JSON.parse(printed) as { done: boolean; steps: readonly CleanupStep[] };
  await writer.query('ROLLBACK');
  expect({ code, done, steps: steps.map(({ what, outcome }) => `${what}: ${outcome}`), complaints: complaints.length }).toEqual({
    code: 1, done: false, steps: ['slot: removed', 'table: removed'], complaints: 1,
  });
});

test('a database that is not there, and one that is not named, are told in a sentence', async () => {
  const gone = new URL(database.url);
  gone.pathname = '/not_there';

  const away = await runTool(['cleanup', `--database-url=${gone.href}`]);
  const unnamed = await runTool(['cleanup']);

  expect({ away: [away.code, away.complaints], unnamed: [unnamed.code, unnamed.complaints] }).toEqual({
    away: [1, [expect.stringContaining('There is no database "not_there"')]],
    unnamed: [2, [expect.stringContaining('No database is named')]],
  });
});
