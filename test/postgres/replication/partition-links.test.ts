/** Of which tables a table is a partition, as the catalogue has it when the stream describes it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import { ANSWER_MS_MAX, PartitionLinks } from '../../../src/postgres/replication/partition-links.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

let database: TestDatabase;
let clock: ManualClock;
let links: PartitionLinks;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE root (id int, k int) PARTITION BY RANGE (id);
    CREATE TABLE middle PARTITION OF root FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (k);
    CREATE TABLE leaf PARTITION OF middle DEFAULT;
    CREATE TABLE alone (id int); CREATE TABLE heir () INHERITS (alone)`);
  open();
});
afterEach(() => {
  links.close();
  open();
});
afterAll(async () => {
  links.close();
  await database.drop();
});

/** Of a transaction that everybody sees. */
const XID = 3 as Xid;
const WAITING = `
  SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'armature partitions' AND wait_event_type = 'Lock'`;

function open(): void {
  clock = new ManualClock();
  links = new PartitionLinks(targetOf(database.url), clock);
}

async function oidOf(table: string): Promise<number> {
  const [row] = await database.query<{ oid: number }>('SELECT $1::regclass::oid::int AS oid', [table]);
  return row?.oid ?? 0;
}

async function above(table: string): Promise<readonly (readonly number[])[]> {
  return (await links.of(await oidOf(table), XID)).map(({ child, parent }) => [child, parent]);
}

test('a partition has a link to each table above it, nearest first; whatever is none has no link', async () => {
  const [root = 0, middle = 0, leaf = 0] = [await oidOf('root'), await oidOf('middle'), await oidOf('leaf')];

  expect([await above('leaf'), await above('middle'), await above('root'), await above('heir'), await links.of(1, XID)]).toEqual([
    [[leaf, middle], [middle, root]], [[middle, root]], [], [], [],
  ]);
});

test('what was detached has none, and what was attached again has another', async () => {
  await database.query('CREATE TABLE passing PARTITION OF root FOR VALUES FROM (20) TO (30)');
  const oid = await oidOf('passing');
  const before = await links.of(oid, XID);
  await database.query('ALTER TABLE root DETACH PARTITION passing');
  const between = await links.of(oid, XID);
  await database.query('ALTER TABLE root ATTACH PARTITION passing FOR VALUES FROM (20) TO (30)');
  const [first] = before;
  const [again] = await links.of(oid, XID);

  expect({ between, first, isSame: first?.since === again?.since }).toEqual({
    between: [], first: expect.objectContaining({ child: oid, parent: await oidOf('root') }), isSame: false,
  });
});

test('a session that is idle for a while is closed, and the next question opens another', async () => {
  const sessions = async (): Promise<number> => {
    return (await database.query(`
      SELECT FROM pg_stat_activity WHERE application_name = 'armature partitions' AND datname = current_database()`)).length;
  };
  await above('leaf');
  const during = await sessions();
  clock.advance(10_000);
  await expect.poll(sessions).toBe(0);

  expect({ during, links: (await above('leaf')).length, timers: clock.pendingTimers }).toEqual({ during: 1, links: 2, timers: 1 });
});

test('a catalogue that does not answer is given up, as unreachable, and so is a question when nobody asks any more', async () => {
  const oid = await oidOf('leaf');
  await links.of(oid, XID);
  const locker = await database.session();
  await locker.query('BEGIN; LOCK TABLE pg_inherits IN ACCESS EXCLUSIVE MODE');
  const overdue = links.of(oid, XID).catch((error: unknown) => error);
  clock.advance(ANSWER_MS_MAX);
  const outcome = await overdue;
  const abandoned = links.of(oid, XID).catch((error: unknown) => error);
  links.close();
  const end = await abandoned;
  await locker.query('ROLLBACK');

  expect([outcome, end]).toMatchObject([
    { code: 'database_unreachable', message: 'the catalogue was silent for too long' }, { code: 'database_unreachable' },
  ]);
});

test('a session that falls silent before the first question is given up as well', async () => {
  const oid = await oidOf('leaf');
  const locker = await database.session();
  await locker.query('BEGIN; LOCK TABLE pg_settings IN ACCESS EXCLUSIVE MODE');
  const overdue = links.of(oid, XID).catch((error: unknown) => error);
  await expect.poll(() => database.query(WAITING)).toHaveLength(1);
  clock.advance(ANSWER_MS_MAX);
  const outcome = await overdue;
  await locker.query('ROLLBACK');

  expect({ outcome, links: (await links.of(oid, XID)).length }).toMatchObject({
    outcome: { code: 'database_unreachable', message: 'the catalogue was silent for too long' }, links: 2,
  });
});
