/** `armature doctor` before real databases: what it finds, what it says to run, and that running it mends what it found. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { doctor } from '../../src/commands/doctor.ts';
import type { Finding } from '../../src/postgres/doctor/finding.ts';
import type { Flags } from '../../src/settings/configuration.ts';
import { RecordingTerminal } from '../support/commands/recording-terminal.ts';
import { startOwnCluster } from '../support/operations/own-cluster.ts';
import { createDatabase, createDatabaseOn, serverUrl, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';
import { startRelay } from '../support/service/relay.ts';

const HOSTILE = 'a"b; DROP TABLE plain --\u001b[2J<script>';
let database: TestDatabase;
let role: string;

beforeAll(async () => {
  database = await createDatabase();
  role = `Role ${database.name}`;
  await database.query(`CREATE ROLE "${role}" LOGIN PASSWORD 'secret-word'; REVOKE ALL ON SCHEMA public FROM PUBLIC`);
  await database.query('CREATE TABLE plain (id integer PRIMARY KEY); CREATE TABLE keyless (id integer)');
  await database.query(`CREATE TABLE ${quoted(HOSTILE)} (id integer)`);
});

afterAll(async () => {
  await database.query(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`);
  await database.drop();
});

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function asRole(): string {
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret-word';
  return url.href;
}

async function told(flags: Flags, url = database.url): Promise<{ code: number; printed: string; complaints: readonly string[] }> {
  const terminal = new RecordingTerminal();
  const environment = { DATABASE_URL: url, ELECTRIC_REPLICATION_STREAM_ID: streamIdOf(database.url) };
  const code = await doctor({ flags, operands: [], environment, terminal });
  return { code, printed: terminal.printed, complaints: terminal.complaints };
}

async function found(flags: Flags = {}, url = database.url): Promise<readonly Finding[]> {
  const { findings } = JSON.parse((await told({ ...flags, json: true }, url)).printed) as { findings: readonly Finding[] };
  return findings;
}

async function verdicts(checks: readonly string[], url?: string): Promise<Record<string, string>> {
  const findings = await found({}, url);
  return Object.fromEntries(findings.filter(({ check }) => checks.includes(check)).map(({ check, verdict }) => [check, verdict]));
}

/** As a superuser, what it says to run for these checks. */
async function run(checks: readonly string[], findings: readonly Finding[]): Promise<void> {
  for (const { check, run: statements } of findings) {
    if (checks.includes(check)) for (const statement of statements) await database.query(statement);
  }
}

test('a role without rights is told what to run, and when that was run, the database can be followed', async () => {
  const checks = ['replication_right', 'publication', 'table_select', 'table_owner', 'long_transactions'];
  const before = await told({}, asRole());
  const findings = await found({}, asRole());

  await run(checks, findings);
  await run(checks, await found({}, asRole())); // Of tables, five are named at once.

  const after = await verdicts(checks, asRole());
  expect({ before: before.code, found: Object.fromEntries(findings.map(({ check, verdict }) => [check, verdict])), after }).toMatchObject({
    before: 3,
    found: {
      connection: 'ok', replication_right: 'fail', publication: 'fail',
      table_select: 'warn', table_owner: 'warn', long_transactions: 'warn',
    },
    after: { replication_right: 'ok', publication: 'ok', table_select: 'ok', table_owner: 'ok', long_transactions: 'ok' },
  });
});

test('names of tables move no cursor, and a statement about one means that one', async () => {
  const { printed, code } = await told({});
  const [finding] = (await found()).filter(({ check }) => check === 'primary_key');

  const statement = finding?.run.find((line) => line.includes('script'))?.replace('PRIMARY KEY (…)', 'PRIMARY KEY (id)') ?? '';
  await database.query(statement);

  const [left] = (await found()).filter(({ check }) => check === 'primary_key');
  expect({ code, isQuiet: !/[^\P{Cc}\n]/u.test(printed), before: finding?.run.length, left: left?.run }).toEqual({
    code: 0,
    isQuiet: true,
    before: 2,
    left: ['ALTER TABLE "public"."keyless" ADD PRIMARY KEY (…);'],
  });
});

test('a publication that tells too little, and a table in it that nobody can write to, are mended by what it says', async () => {
  const name = `electric_publication_${streamIdOf(database.url)}`;
  const checks = ['publication', 'replica_identity'];
  await database.query(`CREATE PUBLICATION ${name} FOR TABLE keyless WITH (publish = 'insert', publish_via_partition_root = true)`);
  const before = await found();

  await run(checks, before);

  const after = await verdicts(checks);
  await database.query(`DROP PUBLICATION ${name}`);
  expect({ before: before.filter(({ check }) => checks.includes(check)).map(({ verdict }) => verdict), after }).toEqual({
    before: ['fail', 'warn', 'fail'],
    after: { publication: 'ok', replica_identity: 'ok' },
  });
});

test('a slot that somebody else made is a failure, unless it is to be taken over', async () => {
  const name = `electric_slot_${streamIdOf(database.url)}`;
  await database.query(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);

  const refused = (await found()).find(({ check }) => check === 'slot');
  const taken = (await found({ 'take-over-slot': true })).find(({ check }) => check === 'slot');

  await database.query(`SELECT pg_drop_replication_slot('${name}')`);
  expect([refused, taken]).toMatchObject([
    { verdict: 'fail', says: expect.stringContaining('Armature did not make') },
    { verdict: 'ok', says: expect.stringContaining('nobody streams from it now') },
  ]);
});

test('policies that hide rows, and tables without a log, are told', async () => {
  await database.query(`
    CREATE UNLOGGED TABLE brief (id integer PRIMARY KEY); CREATE TABLE guarded (id integer PRIMARY KEY);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; ALTER TABLE guarded FORCE ROW LEVEL SECURITY`);
  const before = await verdicts(['row_security', 'unlogged'], asRole());

  await run(['row_security', 'unlogged'], await found({}, asRole()));

  const after = await verdicts(['row_security', 'unlogged'], asRole());
  expect({ before, after }).toEqual({ before: { row_security: 'warn', unlogged: 'warn' }, after: { row_security: 'ok' } });
});

test.each([
  ['role', () => `ROLE "${role}"`],
  ['database', () => `DATABASE ${database.name}`],
  ['role in a database', () => `ROLE "${role}" IN DATABASE ${database.name}`],
])('a %s that may only read by default is told by which statement it may write again', async (_, whose) => {
  await database.query(`ALTER ${whose()} SET default_transaction_read_only = on`);
  const before = await verdicts(['read_only'], asRole());

  await run(['read_only'], await found({}, asRole()));

  expect({ before, after: await verdicts(['read_only'], asRole()) }).toEqual({ before: { read_only: 'fail' }, after: { read_only: 'ok' } });
});

test('what it says to run lets transactions write by default again, for whomever it was set, also in a session of theirs', async () => {
  const cluster = await startOwnCluster('');
  onTestFinished(() => cluster.remove());
  const { url, name, query, session } = cluster.database;
  const user = new URL(url).username;
  const after: unknown[] = [];
  for (const whose of [`ROLE ${user}`, `DATABASE ${name}`, `ROLE ${user} IN DATABASE ${name}`, 'ROLE ALL']) {
    await query(`ALTER ${whose} SET default_transaction_read_only = on`);
    const statements = (await found({}, url)).flatMap(({ check, run: each }) => (check === 'read_only' ? each : []));
    const client = await session();
    for (const statement of statements) await client.query(statement);
    after.push({ count: statements.length, ...(await verdicts(['read_only'], url)) });
  }

  const mended = { count: 2, read_only: 'ok' };
  expect(after).toEqual([mended, mended, mended, mended]);
});

test.each([['SQL_ASCII', 'warn'], ['UTF8', 'ok']])('a database of the encoding %s: %s', async (encoding, verdict) => {
  const other = await createDatabaseOn(await serverUrl(), `ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);

  const told = await verdicts(['encoding'], other.url);

  await other.drop();
  expect(told).toEqual({ encoding: verdict });
});

test('a pooler before the database is found out by the process id that it gives', async () => {
  const { hostname, port } = new URL(database.url);
  const relay = await startRelay({ host: hostname, port: Number(port) }, (client, upstream) => {
    client.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => client.write(withOtherKey(bytes)));
  });
  const url = new URL(database.url);
  url.port = String(relay.port);
  url.searchParams.set('sslmode', 'disable');

  const findings = await found({ 'pooled-database-url': url.href }, url.href);

  await relay.close();
  expect(findings.filter(({ check }) => check.startsWith('pool')).map(({ check, verdict }) => [check, verdict])).toEqual([
    ['pooler', 'fail'],
    ['pooled_connection', 'ok'],
  ]);
});

/** BackendKeyData with a process id that is none, as a pooler answers. */
function withOtherKey(bytes: Buffer): Buffer {
  const at = bytes.indexOf(Buffer.from('4b0000000c', 'hex'));
  if (at >= 0) bytes.writeInt32BE(7, at + 5);
  return bytes;
}

test('where there is no connection, that is all it says, and no password', async () => {
  const { code, printed } = await told({ 'database-url': 'postgresql://someone:secret-word@127.0.0.1:1/app' });

  const [first = '', ...rest] = printed.trim().split('\n');
  expect({ code, isTold: first.startsWith('FAIL'), rest: rest.length, leaks: printed.includes('secret-word') }).toEqual({
    code: 3,
    isTold: true,
    rest: 2,
    leaks: false,
  });
});

test.each([
  [{}, /^No database is named/],
  [{ 'database-url': 'mysql://x' }, /begins with mysql/],
  [{ 'db-pool-size': 'many' }, /--db-pool-size must be a whole number/],
])('%j is a misuse', async (flags, sentence) => {
  const { code, complaints } = await told(flags, '');

  expect({ code, complaints }).toEqual({ code: 2, complaints: [expect.stringMatching(sentence)] });
});
