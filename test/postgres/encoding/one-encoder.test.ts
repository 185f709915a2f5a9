/** The same row, by COPY, by a portal and by the stream: equal bytes, and the JSON of Postgres's own text. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { replicationPort } from '../../../src/postgres/replication/replication-port.ts';
import { NOTHING_STORED } from '../../../src/postgres/replication/slot-standing.ts';
import { snapshotPort } from '../../../src/postgres/snapshot/snapshot-port.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingSink, valueBytes } from '../../support/postgres/recording-sink.ts';
import { arrayTemplate } from '../../support/shapes/array-template.ts';
import { RecordingTarget } from '../../support/postgres/snapshot-target.ts';

let database: TestDatabase;
let pool: DatabasePool;
let replication: RunningPort;
const sink = new RecordingSink(valueBytes);

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'snapshots', max: 2 });
  await pool.open();
  await database.query(`
    CREATE TABLE texts (id int PRIMARY KEY, text text, other text);
    CREATE TABLE typed (id int PRIMARY KEY, i8 int8, n numeric, d float8, ts timestamptz, t timestamp, dt date, iv interval,
      b bytea, j json, jb jsonb, u uuid, a text[], c char(5))`);
  const target = targetOf(database.url);
  const held = { sink, transactionBytesMax: 1e9, lastCommitLsn: () => LSN_ZERO, stored: () => NOTHING_STORED };
  replication = await openPort(replicationPort({ ...held, target, slot: database.name, publication: 'every_path', owner: '@owner' }));
  await replication.ask({ type: 'connect' });
  await replication.ask({ type: 'createSlot' });
  await database.query('ALTER PUBLICATION every_path ADD TABLE texts, typed');
  await replication.ask({ type: 'startStreaming' });
});
afterAll(async () => {
  await replication.close();
  await pool.close();
  await database.drop();
});

const PORTAL: RecordingTarget['where'] = { sql: '"id" >= $1::int4', params: ['-1000000'] };

async function snapshotOf(target: RecordingTarget): Promise<RecordingTarget> {
  const port = await openPort(snapshotPort({ pool, target: () => target }));
  await port.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' });
  await port.close();
  return target;
}

async function byEveryPath(name: string, columns: readonly string[]): Promise<Record<'copy' | 'portal' | 'stream', (string | null)[][]>> {
  const table = { name, columns, tell: valueBytes };
  const { read: copy } = await snapshotOf(new RecordingTarget(table));
  const { read: portal } = await snapshotOf(new RecordingTarget({ ...table, where: PORTAL }));
  const stream = sink.transactions.at(-1)?.changes.map((change) => [...(change.new ?? [])]) ?? [];
  return { copy, portal, stream };
}

const unit = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('"', '\\', '\\N', '\n', '\r', '\t', '\b', '\f', '\v', '\u0001', '\u001f', '\u007f') },
  { weight: 1, arbitrary: fc.constantFrom('\\x41', '\\101', '\u2028', '😀', 'é', '/', '\\.') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 80 }) },
);
const value = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(null, '', '\\N', 'null', '"', '\\') },
  { weight: 6, arbitrary: fc.array(unit, { maxLength: 6 }).map((units) => units.join('').replaceAll('\0', '')) },
);

test('any text has the same bytes by every path, and they are its JSON', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 }), async (rows) => {
      await database.query('TRUNCATE texts');
      const before = sink.transactions.length;
      await database.query(
        'INSERT INTO texts SELECT ordinality, one, two FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS x (one, two, ordinality)',
        [rows.map(([one]) => one), rows.map(([, two]) => two)],
      );
      await sink.until(({ transactions }) => transactions.length > before && transactions.at(-1)?.changes[0]?.kind === 1);

      const paths = await byEveryPath('texts', ['id', 'text', 'other']);

      const json = rows.map((row, index) => [`"${index + 1}"`, ...row.map((text) => latin1(JSON.stringify(text)))]);
      expect(paths).toEqual({ copy: json, portal: json, stream: json });
    }),
    { numRuns: 60 },
  );
});

test('the lines of a snapshot have these bytes too', async () => {
  await database.query('TRUNCATE texts');
  const rows = fc.sample(fc.tuple(value, value), { numRuns: 300, seed: 15 });
  await database.query(
    'INSERT INTO texts SELECT ordinality, one, two FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS x (one, two, ordinality)',
    [rows.map(([one]) => one), rows.map(([, two]) => two)],
  );

  const table = { name: 'texts', columns: ['id', 'text', 'other'], template: arrayTemplate(3) };
  const { lines: copied } = await snapshotOf(new RecordingTarget(table));
  const { lines: sent } = await snapshotOf(new RecordingTarget({ ...table, where: PORTAL }));

  const json = rows.map((row, index) => `[${[`"${index + 1}"`, ...row.map((text) => latin1(JSON.stringify(text)))].join(',')}],`).join('');
  expect({ copied, sent }).toEqual({ copied: json, sent: json });
});

test('values of other types have the same bytes by every path', async () => {
  const before = sink.transactions.length;
  await database.query(`INSERT INTO typed VALUES
    (1, -9223372036854775808, '1.00', 'Infinity', '2024-02-29 12:00:00.123456+05', '2024-02-29 12:00', '0044-03-15 BC',
     '1 year 2 months 3 days 04:05:06.7', '\\x0001fffe', '{"a" :  "é\\n"}', '{"b": [1, null], "a": "\\u0001"}',
     'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{"a,b",NULL,"NULL","q\\"\\\\"}', 'ab'),
    (2, 0, 'NaN', 0.1::float8 + 0.2, 'infinity', '-infinity', 'infinity', '-00:00:01', '', 'null', 'null', NULL, '{}', '')`);
  await sink.until(({ transactions }) => transactions.length > before);

  const { copy, portal, stream } = await byEveryPath('typed', ['id', 'i8', 'n', 'd', 'ts', 't', 'dt', 'iv', 'b', 'j', 'jb', 'u', 'a', 'c']);

  expect({ copy, portal, first: copy[0]?.slice(3, 9) }).toEqual({
    copy: stream, portal: stream,
    first: [
      '"Infinity"', '"2024-02-29 07:00:00.123456+00"', '"2024-02-29 12:00:00"', '"0044-03-15 BC"', '"P1Y2M3DT4H5M6.7S"', '"\\\\x0001fffe"',
    ],
  });
});

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
