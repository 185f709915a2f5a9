import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { preflight, type PreflightOptions } from '../../../src/postgres/connection/preflight.ts';
import { dataOf } from '../../../src/demo/embedded-cluster.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startSilentPostgres } from '../../support/postgres/silent-postgres.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { StreamSource } from '../../../src/model/stream-source.ts';
import { replicationPort } from '../../../src/postgres/replication/replication-port.ts';
import { NOTHING_STORED } from '../../../src/postgres/replication/slot-standing.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingSink } from '../../support/postgres/recording-sink.ts';
import { startPostgres } from '../../support/postgres/start-postgres.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let database: TestDatabase;
let role: string;
beforeAll(async () => {
  database = await createDatabase();
  role = `role_${database.name}`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p%2Fs'`);
});
afterAll(async () => {
  await database.query(`DROP ROLE ${role}`);
  await database.drop();
});

function urlWith(change: (url: URL) => void): string {
  const url = new URL(database.url);
  change(url);
  return url.href;
}

test('finds nothing wrong with a database that is ready, and leaves no session there', async () => {
  const problem = await preflight(database.url, { slot: 'slot', publication: 'publication' });

  await database.until(`SELECT WHERE NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'armature preflight')`);
  expect(problem).toBeUndefined();
});

test.each([
  ['not a URL at all', 'bad_url'],
  ['mysql://user@host/db', 'bad_scheme'],
  ['postgresql:///db', 'bad_url'],
  ['postgresql://user:50%@host/db', 'bad_url'],
  ['postgresql://user:2@secret/3@host/db', 'bad_url'],
  ['postgresql://user:secret@host/db?sslmode=often', 'bad_sslmode'],
  ['postgresql://user:secret@host/db?replication=database', 'bad_option'],
  ['postgresql://user:secret@127.0.0.1:1/db', 'database_unreachable'],
  ['postgresql://user:secret@no-such-host.invalid/db', 'database_unreachable'],
])('%s: %s, without the password', async (url, code) => {
  const problem = await preflight(url, { slot: 'slot' });

  const { message = '' } = problem ?? {};
  const told = { code: problem?.code, isTold: message.length > 40, leaks: message.includes('secret') };
  expect(told).toEqual({ code, isTold: true, leaks: false });
});

test('tells apart a wrong password, a missing one, a missing database, TLS that is not there and a missing right', async () => {
  const problems = await Promise.all([
    preflight(urlWith((url) => (url.password = 'wrong-secret')), { slot: 'slot' }),
    preflight(urlWith((url) => (url.password = '')), { slot: 'slot' }),
    preflight(urlWith((url) => (url.pathname = '/nowhere')), { slot: 'slot' }),
    preflight(urlWith((url) => (url.search = '?sslmode=require')), { slot: 'slot' }),
    preflight(urlWith((url) => Object.assign(url, { username: role, password: 'p%252Fs' })), { slot: 'slot' }),
  ]);

  const codes = problems.map((problem) => problem?.code);
  const leaks = problems.some((problem) => problem?.message.includes('wrong-secret'));
  expect({ codes, leaks }).toEqual({
    codes: ['authentication_failed', 'authentication_failed', 'database_missing', 'tls_failed', 'no_replication_right'], leaks: false,
  });
});

test('a slot that another database of the server uses is told before it is tried', async () => {
  const other = await createDatabase();
  const slot = `slot_${other.name}`;
  await other.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);

  const problem = await preflight(database.url, { slot });

  await other.drop();
  expect({ code: problem?.code, names: problem?.message.includes(other.name) }).toEqual({ code: 'slot_elsewhere', names: true });
});

test('a slot is refused before it is tried when neither its mark nor the storage says that Armature made it', async () => {
  const names = { slot: `slot_${database.name}`, publication: 'preflight' };
  const sink = { sink: new RecordingSink(), transactionBytesMax: 1e9, lastCommitLsn: () => LSN_ZERO, stored: () => NOTHING_STORED };
  const port = await openPort(replicationPort({ ...names, ...sink, target: targetOf(database.url), owner: '@owner' }));
  const { source } = (await port.ask({ type: 'connect' })) as unknown as { source: StreamSource };
  const { lsn: heldLsn } = (await port.ask({ type: 'createSlot' })) as unknown as { lsn: Lsn };
  await port.ask({ type: 'startStreaming' });
  const marked = await preflight(database.url, names);
  await database.query('COMMENT ON PUBLICATION preflight IS NULL');

  const unmarked = await preflight(database.url, names);
  const own = await preflight(database.url, { ...names, stored: { source, heldLsn } });
  const takenOver = await preflight(database.url, { ...names, takesOverSlot: true });

  await port.close();
  expect({ marked, unmarked, own, takenOver }).toEqual({
    marked: undefined,
    unmarked: { code: 'slot_not_ours', message: expect.stringMatching(/Process \d+ of the server streams from it now/) },
    own: undefined,
    takenOver: undefined,
  });
});

test('a publication of the role itself that leaves out an operation is refused where that is left to an operator', async () => {
  await database.query("CREATE PUBLICATION partly WITH (publish = 'insert')");
  const names = { slot: 'slot', publication: 'partly' };

  const [own, manual] = [await preflight(database.url, names), await preflight(database.url, { ...names, isManual: true })];

  await database.query('DROP PUBLICATION partly');
  expect({ own, manual }).toEqual({
    own: undefined,
    manual: { code: 'publication_incomplete', message: expect.stringContaining('ALTER PUBLICATION "partly" SET') },
  });
});

test('of a role that takes another one as it comes, the one is named that may not replicate', async () => {
  const taken = `taken_${database.name}`;
  await database.query(`
    CREATE ROLE ${taken}; GRANT ${taken} TO ${role}; ALTER ROLE ${role} REPLICATION; ALTER ROLE ${role} SET role = ${taken}`);
  const url = urlWith((changed) => Object.assign(changed, { username: role, password: 'p%252Fs' }));

  const problem = await preflight(url, { slot: 'slot' });

  await database.query(`ALTER ROLE ${role} NOREPLICATION; ALTER ROLE ${role} RESET role; DROP ROLE ${taken}`);
  expect(problem).toEqual({
    code: 'no_replication_right', message: `The role "${taken}" may not replicate. Run ALTER ROLE "${taken}" WITH REPLICATION.`,
  });
});

test('a server that lets us in and never answers is unreachable', async () => {
  const silent = await startSilentPostgres();

  const problem = await preflight(silent.url, { slot: 'slot', timeoutMs: 50 });

  await silent.close();
  expect(problem).toMatchObject({ code: 'database_unreachable', message: expect.stringContaining('no answer in time') });
});

test('a server that lets us in and is not waited for any longer is unreachable', async () => {
  const silent = await startSilentPostgres();

  const problem = await preflight(silent.url, { slot: 'slot', timeoutMs: 3_600_000, signal: AbortSignal.timeout(50) });

  await silent.close();
  expect(problem).toMatchObject({ code: 'database_unreachable' });
});

test('a server that is asked, and does not answer, is unreachable', async () => {
  const locking = await database.session();
  await locking.query('BEGIN; LOCK TABLE pg_catalog.pg_publication');

  const problem = await preflight(database.url, { slot: 'slot', timeoutMs: 500 });

  await locking.end();
  expect(problem).toMatchObject({ code: 'database_unreachable', message: expect.stringContaining('no answer in time') });
});

test('a server that lets nobody go is left all the same', async () => {
  const { hostname, port } = new URL(database.url);
  const sockets: Socket[] = [];
  const keeping = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect(Number(port), hostname);
    sockets.push(client, upstream);
    for (const socket of [client, upstream]) socket.on('error', () => {}); // As a network that says nothing of it.
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => client.write(bytes));
  });
  await once(keeping.listen(0, '127.0.0.1'), 'listening');
  const url = urlWith((changed) => (changed.port = String((keeping.address() as AddressInfo).port)));

  const problem = await preflight(url, { slot: 'slot' });

  for (const socket of sockets) socket.destroy();
  await once(keeping.close(), 'close');
  expect(problem).toBeUndefined();
});

test('a server that never answers is unreachable', async () => {
  const mute = createServer(() => {});
  await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done));

  const { port } = mute.address() as AddressInfo;
  const problem = await preflight(`postgresql://user:secret@127.0.0.1:${port}/db`, { slot: 'slot', timeoutMs: 50 });

  mute.close();
  expect(problem).toMatchObject({ code: 'database_unreachable', message: expect.stringContaining('no answer in time') });
});

test('a server without logical WAL, one without a free slot or sender, and a standby are told so', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-preflight-'));
  const problemWith = async (settings: Record<string, string>, options: PreflightOptions = {}): Promise<string | undefined> => {
    const server = await startPostgres({ directory, settings: { fsync: 'off', ...settings } });
    const problem = await preflight(server.url, { slot: 'slot', ...options });
    await server.stop();
    return problem?.code;
  };

  const codes = [
    await problemWith({ wal_level: 'replica' }),
    await problemWith({ max_replication_slots: '0' }),
    await problemWith({ max_wal_senders: '0' }),
    await problemWith({}),
  ];
  writeFileSync(join(dataOf(directory), 'standby.signal'), '');
  const source = { systemId: '1', timeline: '1', database: 'postgres', slot: 'slot' };
  codes.push(await problemWith({}), await problemWith({}, { stored: { source, heldLsn: LSN_ZERO } }));

  rmSync(directory, { recursive: true, force: true });
  const [fit, waits] = [undefined, undefined];
  expect(codes).toEqual(['wal_level_not_logical', 'no_free_replication_slot', 'no_free_wal_sender', fit, 'server_is_standby', waits]);
});
