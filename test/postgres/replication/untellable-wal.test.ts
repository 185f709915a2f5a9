/** What Postgres cannot tell: the stream goes on behind it, and what was stored before is given up. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lsn, LSN_ZERO } from '../../../src/model/lsn.ts';
import type { StreamSource } from '../../../src/model/stream-source.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import { replicationPort } from '../../../src/postgres/replication/replication-port.ts';
import { NOTHING_STORED, type StoredStream } from '../../../src/postgres/replication/slot-standing.ts';
import { UntellableWal } from '../../../src/postgres/replication/untellable-wal.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { createDatabaseOn, serverUrl, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingSink } from '../../support/postgres/recording-sink.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabaseOn(await serverUrl(), `ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);
  await database.query('CREATE TABLE items (id int PRIMARY KEY, text text); CREATE PUBLICATION pub FOR TABLE items');
});
afterAll(() => database.drop());

test('a slot at which each stream ends with the same error is made anew behind that, once that is certain', async () => {
  const sink = new RecordingSink();
  let stored: StoredStream = NOTHING_STORED;
  const port = await openPort(
    replicationPort({
      target: targetOf(database.url), slot: database.name, publication: 'pub', owner: '@owner', takesOverSlot: true,
      sink, transactionBytesMax: 1e9, lastCommitLsn: () => LSN_ZERO, stored: () => stored,
    }),
  );
  const attempt = async () => {
    const { standing, why, source } = await port.ask({ type: 'connect' });
    if (standing !== 'continued') {
      const { lsn } = await port.ask({ type: 'createSlot' });
      stored = { source: source as StreamSource, heldLsn: lsn as Lsn };
    }
    await port.ask({ type: 'startStreaming' });
    return { standing, why };
  };
  await attempt();
  await database.query(`INSERT INTO items VALUES (1, convert_from('\\xff', 'SQL_ASCII'))`);
  const ends = [(await port.awaitSent('replication.ended'))['error']];
  const standings = [];
  for (const number of [2, 3]) {
    standings.push((await attempt()).standing);
    ends.push((await port.awaitSent('replication.ended', number))['error']);
  }

  const { standing, why } = await attempt();
  await database.query(`INSERT INTO items VALUES (2, 'behind it')`);
  await sink.until(({ transactions }) => transactions.some(({ changes }) => changes.length > 0));

  await port.close();
  const error = { code: '22021', message: expect.stringMatching(/^invalid byte sequence/) };
  expect({ ends, standings, standing, why, rows: sink.rows }).toEqual({
    ends: [error, error, error],
    standings: ['continued', 'continued'],
    standing: 'lost',
    why: expect.stringMatching(/^Postgres cannot tell what the replication slot "\w+" comes to next, .*: invalid byte sequence/),
    rows: [{ kind: 1, table: 'items', position: 0, new: ['2', 'behind it'] }],
  });
});

const TEXT = new DatabaseRefusedError('22021', 'invalid byte sequence');
const PLACE = '7' as Lsn;

test.each<[string, readonly (readonly [Error, Lsn])[], string | undefined]>([
  ['three streams in a row came to the same', [[TEXT, PLACE], [TEXT, PLACE], [TEXT, PLACE]], 'invalid byte sequence'],
  ['the last of them came further', [[TEXT, PLACE], [TEXT, PLACE], [TEXT, '8' as Lsn]], undefined],
  ['one ended otherwise', [[TEXT, PLACE], [TEXT, PLACE], [new DatabaseUnreachableError('gone'), PLACE], [TEXT, PLACE]], undefined],
  ['Postgres has no room for a value', Array(3).fill([new DatabaseRefusedError('XX000', 'invalid memory alloc request size 1'), PLACE]),
    'invalid memory alloc request size 1'],
  ['Postgres is out of memory', Array(3).fill([new DatabaseRefusedError('53200', 'out of memory'), PLACE]), undefined],
])('what is told of a place when %s', (_, ends, told) => {
  const wal = new UntellableWal();
  for (const [error, lastCommitLsn] of ends) wal.note(error, lastCommitLsn);
  expect(wal.error).toBe(told);
});
