/**
 * Postgres takes connections over TLS alone, and a file says who must have signed its certificate.
 *
 * Stricter than the scenario: with such a file the certificate must be for the host that is named, as in sslmode=verify-full, and a file
 * whose certificates are damaged is refused too.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { packageRoot } from '../../src/observer/package-root.ts';
import { readingOf } from '../../src/postgres/snapshot/reading-transaction.ts';
import { RowsThreads } from '../../src/postgres/snapshot/rows-thread.ts';
import { isProblem, trusting } from '../../src/settings/database-url.ts';
import { runTool } from '../support/commands/run-tool.ts';
import { makeAuthority, type Authority } from '../support/operations/certificates.ts';
import { urlWith } from '../support/operations/database-url.ts';
import { refusedStart } from '../support/operations/refused-start.ts';
import { exchangeCertificate, startTlsServer } from '../support/operations/tls-server.ts';
import { targetOf } from '../support/postgres/postgres-target.ts';
import { hurry, QUICK_TIME_LATER } from '../support/service/quick-time.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { healthOf, startServiceProcess, untilActive } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { arrayTemplate } from '../support/shapes/array-template.ts';

const ROWS_PROGRAM = new URL('dist/postgres/snapshot/rows-worker.js', packageRoot());
const directory = mkdtempSync(join(tmpdir(), 'armature-tls-'));
const cluster = clusterDirectory();
let server: EmbeddedPostgres;
let superuser: pg.Client;
let authority: Authority;
let stranger: Authority;

beforeAll(async () => {
  authority = makeAuthority(directory, 'authority');
  stranger = makeAuthority(directory, 'stranger');
  server = await startTlsServer(cluster, authority.sign('localhost'));
  superuser = new pg.Client({ connectionString: server.url });
  await superuser.connect();
  await superuser.query("CREATE ROLE service LOGIN REPLICATION PASSWORD 'secret-word'; GRANT CREATE ON DATABASE postgres TO service");
  await superuser.query("CREATE ROLE either LOGIN REPLICATION PASSWORD 'secret-word' IN ROLE service");
  await superuser.query('CREATE TABLE items (id integer PRIMARY KEY); ALTER TABLE items OWNER TO service; INSERT INTO items VALUES (1)');
});

afterAll(async () => {
  await superuser.end();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const ENCRYPTED = "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'armature%'";
const END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'armature%'";
const OF_SERVICE = { username: 'service', password: 'secret-word', hostname: 'localhost' };

function optionsWith(sslMode: string, caFile: string | undefined, host = 'localhost') {
  const search = sslMode === '' ? '' : `sslmode=${sslMode}`;
  return {
    databaseUrl: urlWith(server.url, { ...OF_SERVICE, hostname: host, search }),
    storageDirectory: join(directory, 'storage'),
    environment: caFile === undefined ? {} : { ELECTRIC_DATABASE_CA_CERTIFICATE_FILE: caFile },
  };
}

test.each([
  {
    why: 'sslmode=disable where Postgres wants TLS', exitCode: 1, says: /pg_hba\.conf.*no encryption/s,
    of: () => optionsWith('disable', undefined),
  },
  {
    why: 'sslmode=disable with a CA file', exitCode: 2,
    says: /ARMATURE_DATABASE_CA_CERTIFICATE_FILE .* is set: sslmode=disable encrypts nothing/,
    of: () => optionsWith('disable', authority.certificate),
  },
  {
    why: 'a CA file that is missing', exitCode: 1, says: /Invalid CA certificate file \S+: .*ENOENT/,
    of: () => optionsWith('', '/nowhere/ca.crt'),
  },
  {
    why: 'an authority that did not sign the certificate', exitCode: 1,
    says: /certificate of Postgres at localhost:\d+ is not to be trusted: .*certificate/, of: () => optionsWith('', stranger.certificate),
  },
  {
    why: 'a certificate for another host', exitCode: 1,
    says: /127\.0\.0\.1:\d+ is not to be trusted: .*altnames/, of: () => optionsWith('require', authority.certificate, '127.0.0.1'),
  },
])('secure-db-connection: refuses to start over $why, and says so', async ({ exitCode, says, of }) => {
  const refused = await refusedStart(of());

  expect({ ...refused, tellsSecret: refused.output.includes('secret-word') }).toEqual({
    exitCode, output: expect.stringMatching(says) as string, tellsSecret: false,
  });
});

test.each([
  ['by default', () => optionsWith('', undefined)],
  ['for any host of that authority, with verify-ca', () => optionsWith('verify-ca', authority.certificate, '127.0.0.1')],
])('secure-db-connection: follows the database over TLS alone, %s', async (_, of) => {
  const service = await startServiceProcess(of());
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const { rows } = await superuser.query(ENCRYPTED);
  const exitCode = await service.stop();

  expect({ rows: follower.rows.size, encrypted: rows, exitCode }).toEqual({ rows: 1, encrypted: [{ ssl: true }], exitCode: 0 });
});

test.each([
  ['that is trusted', () => authority, true, [{ ssl: true }]],
  ['that is not', () => stranger, false, []],
] as const)('secure-db-connection: a thread that reads a large table goes by the certificate, one %s', async (_, by, isRead, sessions) => {
  const target = trusting(targetOf(optionsWith('verify-full', undefined).databaseUrl), readFileSync(by().certificate, 'utf8'));
  invariant(!isProblem(target), 'the mode verifies');
  const threads = new RowsThreads({ program: ROWS_PROGRAM, target, applicationName: 'armature in a thread', max: 1 });
  await superuser.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const { rows: [exported] } = await superuser.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot');
  const seen: unknown[] = [];
  const begin = readingOf(exported?.snapshot ?? '', "SET LOCAL lock_timeout = '5s'");

  const wasRead = await threads.read({ begin, sql: 'SELECT 1', template: arrayTemplate(1), isBoolean: [false] }, {
    onFirst: () => {},
    rows: async () => void seen.push(...(await superuser.query(ENCRYPTED)).rows),
    confirm: () => Promise.resolve(),
    signal: new AbortController().signal,
  });
  await superuser.query('COMMIT');
  await threads.close();

  expect({ wasRead, seen }).toEqual({ wasRead: isRead, seen: sessions });
});

test('secure-db-connection: a certificate that is not trusted any more is told, and followed when it was mended', async () => {
  const options = optionsWith('', authority.certificate);
  const service = await startServiceProcess({ ...options, environment: { ...options.environment, ...QUICK_TIME_LATER } });
  hurry(service);
  await exchangeCertificate(cluster, superuser, stranger.sign('localhost'));
  await superuser.query(END_SESSIONS);
  await expect.poll(async () => await (await fetch(`${service.url}/v1/health`)).json()).toEqual({
    status: 'starting', cause: expect.stringMatching(/ since .*certificate.*; the next attempt is in (10|\d) s$/) as string,
  });

  await exchangeCertificate(cluster, superuser, authority.sign('localhost'));
  await untilActive(service);
  const exitCode = await service.stop();

  const errors = service.output().split('\n').filter((line) => line.includes('"level":"error"'));
  expect({ exitCode, told: errors.length > 0, all: errors.filter((line) => !line.includes('certificate_refused')) }).toEqual({
    exitCode: 0, told: true, all: [],
  });
});

test('secure-db-connection: goes on without TLS where that was switched off, if it may', async () => {
  const databaseUrl = urlWith(server.url, { username: 'either', password: 'secret-word', hostname: 'localhost' });
  const service = await startServiceProcess({ databaseUrl, storageDirectory: join(directory, 'storage') });
  for (const sql of ['ALTER SYSTEM SET ssl = off', 'SELECT pg_reload_conf()', END_SESSIONS]) await superuser.query(sql);
  await expect.poll(() => healthOf(service)).not.toBe('active');

  await untilActive(service);
  const { rows } = await superuser.query(ENCRYPTED);
  const exitCode = await service.stop();
  for (const sql of ['ALTER SYSTEM SET ssl = on', 'SELECT pg_reload_conf()']) await superuser.query(sql);

  expect({ encrypted: rows, exitCode }).toEqual({ encrypted: [{ ssl: false }], exitCode: 0 });
});

test('secure-db-connection: doctor and cleanup hold the certificate against the same file', async () => {
  const words = (command: string, sslMode = '') => [
    command, '--json', `--database-url=${optionsWith(sslMode, undefined).databaseUrl}`,
  ];
  const trusting = ({ certificate }: Authority): string => `--database-ca-certificate-file=${certificate}`;
  const examined = await runTool([...words('doctor'), trusting(authority)]);
  const strange = await runTool([...words('doctor'), trusting(stranger)]);
  const unknown = await runTool(words('doctor', 'verify-full'));
  const cleaned = await runTool([...words('cleanup'), trusting(stranger)]);

  expect([examined.printed, strange.printed, unknown.printed, cleaned.complaints.join()]).toEqual([
    expect.stringContaining('"service\\", encrypted'),
    expect.stringContaining('is not to be trusted'),
    expect.stringContaining('the authorities that Node trusts, for there is no CA certificate file'),
    expect.stringContaining('is not to be trusted'),
  ]);
});
