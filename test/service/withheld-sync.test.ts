/**
 * A disk that withholds its sync: what is not durable is neither confirmed to Postgres nor seen by anybody, however
 * long it takes; once the disk has it, all of it arrives.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';
import { withholdingDisk } from '../support/storage/withholding-disk.ts';

const disk = withholdingDisk();
let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (0, 'before')");
  // The stream tells Postgres three times as often how far it has come, also without being asked.
  await database.query(`ALTER DATABASE ${database.name} SET wal_sender_timeout = '6s'`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '500' }, world: { disk } });
});

afterAll(async () => {
  disk.release();
  await service.remove();
  await database.drop();
});

/** What Postgres was told: whether the service has `lsn`, how far it has written, and how far it may forget; when it heard that last. */
async function told(lsn: string): Promise<{ flushed: string; confirmed: string; repliedAt: string; hasReceived: boolean }> {
  const [row] = await database.query<{ flushed: string; confirmed: string; repliedAt: string; hasReceived: boolean }>(
    `SELECT r.flush_lsn::text AS flushed, s.confirmed_flush_lsn::text AS confirmed, r.reply_time::text AS "repliedAt",
            r.write_lsn >= $2::pg_lsn AS "hasReceived"
     FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = $1`,
    [`electric_slot_${streamIdOf(database.url)}`, lsn],
  );
  if (row === undefined) throw new Error('nobody streams');
  return row;
}

async function isConfirmed(lsn: string): Promise<boolean> {
  const { confirmed } = await told(lsn);
  const [row] = await database.query<{ reached: boolean }>('SELECT $1::pg_lsn >= $2::pg_lsn AS reached', [confirmed, lsn]);
  return row?.reached === true;
}

async function walEnd(): Promise<string> {
  const [row] = await database.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  return row?.lsn ?? '';
}

test('while the disk withholds its sync nothing is confirmed and nobody sees the rows; then all of them arrive', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const before = await walEnd(); // Others write to this server too: its end moves on.
  await expect.poll(() => isConfirmed(before)).toBe(true);
  const { handle = '', offset } = follower;
  const at = { table: 'items', offset, handle };

  const withheld = disk.withhold();
  for (let id = 1; id <= 20; id += 1) await database.query('INSERT INTO items VALUES ($1, $2)', [id, 'not durable yet']);
  const written = await walEnd();
  await withheld;
  await expect.poll(async () => (await told(written)).hasReceived).toBe(true);
  const first = await told(written);
  const seen = [];
  for (let round = 0; round < 3; round += 1) {
    const [catchUp, poll, anew] = await Promise.all([
      readShape(service.shapeUrl, at),
      readShape(service.shapeUrl, { ...at, live: 'true' }),
      new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp(),
    ]);
    seen.push({ offsets: [catchUp.offset, poll.offset, anew.offset], rows: [catchUp.text, poll.text].map(rowsIn).concat(anew.rows.size) });
  }
  await expect.poll(async () => (await told(written)).repliedAt > first.repliedAt).toBe(true);
  const last = await told(written);
  disk.release();

  const standsStill = { flushed: first.flushed, confirmed: first.confirmed };
  expect({ seen, last }).toEqual({
    seen: Array.from({ length: 3 }, () => ({ offsets: [offset, offset, offset], rows: [0, 0, 1] })),
    last: { ...standsStill, hasReceived: true, repliedAt: last.repliedAt },
  });
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(21);
  await expect.poll(() => isConfirmed(written)).toBe(true);
});

function rowsIn(text: string): number {
  return text.split('"operation":').length - 1;
}

test('a stream that breaks meanwhile and brings the same rows again confirms nothing either, before the sync', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const withheld = disk.withhold();
  await database.query("INSERT INTO items VALUES (50, 'comes twice')");
  const written = await walEnd();
  await withheld;

  const broken = await breakStream();
  await expect.poll(() => hasReceivedAnew(broken, written)).toBe(true);
  const confirmedBefore = await isConfirmed(written);
  disk.release();
  await expect.poll(() => isConfirmed(written)).toBe(true);

  expect({ confirmedBefore, row: (await follower.catchUp()).rows.get('"public"."items"/"50"') }).toEqual({
    confirmedBefore: false,
    row: { id: '50', title: 'comes twice' },
  });
});

/** @returns the pid of the walsender that is no more. */
async function breakStream(): Promise<number> {
  const [row] = await database.query<{ pid: number }>(
    'SELECT active_pid AS pid, pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1',
    [`electric_slot_${streamIdOf(database.url)}`],
  );
  return row?.pid ?? 0;
}

async function hasReceivedAnew(broken: number, lsn: string): Promise<boolean> {
  const [row] = await database.query<{ hasReceived: boolean }>(
    `SELECT r.write_lsn >= $2::pg_lsn AS "hasReceived" FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid
     WHERE s.slot_name = $1 AND r.pid <> $3`,
    [`electric_slot_${streamIdOf(database.url)}`, lsn, broken],
  );
  return row?.hasReceived === true;
}

test('a live poll that is sent meanwhile is answered with the rows once they are durable', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const { handle = '', offset } = follower;
  const withheld = disk.withhold();
  await database.query("INSERT INTO items VALUES (100, 'waited for')");
  await withheld;

  const polling = readShape(service.shapeUrl, { table: 'items', offset, handle, live: 'true' });
  disk.release();

  expect((await polling).messages[0]?.value).toEqual({ id: '100', title: 'waited for' });
});
