/** /v1/health of a service that cannot go on: why, for whoever may know, and nothing of it when it can. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';
import { startRelay } from '../support/service/relay.ts';
import { scrape, scrapeUntil } from '../support/service/scraped-metrics.ts';
import { activeAgain, startServiceInProcess } from '../support/service/service.ts';

const RETAINED = 'electric_postgres_replication_slot_retained_wal_size';
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(() => database.drop());

async function health(url: string, secret = ''): Promise<{ status: number; body: { status: string; cause?: string } }> {
  const response = await fetch(`${url}/v1/health${secret}`);
  return { status: response.status, body: (await response.json()) as { status: string; cause?: string } };
}

test('an instance that waits for the lock says who holds it, to whoever has the secret', async () => {
  const rival = await database.session();
  await rival.query("SET application_name = 'rival'");
  await rival.query('SELECT pg_advisory_lock(hashtext($1))', [`electric_slot_${streamIdOf(database.url)}`]);
  const [held] = await database.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE application_name = 'rival'");
  const service = await startServiceInProcess({
    databaseUrl: database.url, flags: { insecure: 'false', secret: 'S3cret' }, mayWait: true,
  });
  await expect.poll(async () => (await health(service.url)).body.status).toBe('waiting');

  const [forAll, full] = [await health(service.url), await health(service.url, '?secret=S3cret')];
  await rival.query('SELECT pg_advisory_unlock_all()');
  await activeAgain(service);
  const after = await health(service.url);
  await service.remove();

  expect([forAll, full, after]).toEqual([
    { status: 202, body: { status: 'waiting', cause: 'another instance holds the lock; this one goes on when that has ended' } },
    {
      status: 202,
      body: {
        status: 'waiting',
        cause: expect.stringMatching(
          new RegExp(`^another instance holds the lock of electric_slot_\\w+: process ${held?.pid} of Postgres, application "rival", ` +
            'from 127\\.0\\.0\\.1, connected since \\d{4}-[-0-9T:.]+Z; this one goes on when that has ended$'),
        ),
      },
    },
    { status: 200, body: { status: 'active' } },
  ]);
});

test('an instance that has lost the lock to another says who holds it, and not that it was lost', async () => {
  const service = await startServiceInProcess({ databaseUrl: database.url });
  const rival = await database.session();
  const { rows: [itself] } = await rival.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const taken = rival.query('SELECT pg_advisory_lock(hashtext($1))', [`electric_slot_${streamIdOf(database.url)}`]);
  const waits = 'SELECT 1 FROM pg_locks WHERE pid = $1 AND NOT granted';
  await expect.poll(() => database.query(waits, [itself?.pid])).toHaveLength(1);
  await database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted " +
      'AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
  );
  await taken;

  await expect.poll(async () => (await health(service.url)).body.cause).toMatch(
    new RegExp(`^another instance holds the lock of electric_slot_\\w+: process ${itself?.pid} of Postgres, `),
  );
  await rival.query('SELECT pg_advisory_unlock_all()');
  await activeAgain(service);
  await service.remove();
});

test('an instance whose Postgres has gone says since when and with which error, and tells no old figures of the slot', async () => {
  const url = new URL(database.url);
  const relay = await startRelay({ host: url.hostname, port: Number(url.port) }, (client, upstream) => {
    client.pipe(upstream).pipe(client);
  });
  url.port = String(relay.port);
  const service = await startServiceInProcess({ databaseUrl: url.href, flags: { 'prometheus-port': '0' } });
  const before = await scrape(service.metricsUrl);

  await relay.close();
  let told = await health(service.url);
  while (told.body.cause?.includes('ECONNREFUSED') !== true) told = await health(service.url);
  const after = await scrapeUntil(service.metricsUrl, 'armature_postgres_up', 0);
  await service.remove();

  expect({ ...told, slot: [before.has(RETAINED), after.has(RETAINED)] }).toEqual({
    slot: [true, false],
    status: 202,
    body: {
      status: 'starting',
      cause: expect.stringMatching(/ since \d{4}-[-0-9T:.]+Z: .*ECONNREFUSED.*; (the next attempt is in \d+ s|an attempt is under way)$/),
    },
  });
});
