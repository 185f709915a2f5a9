/** The way of a change on each Postgres at hand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { LSN_ZERO } from '../../src/model/lsn.ts';
import { createCatalog } from '../../src/postgres/catalog/catalog.ts';
import { createPool } from '../../src/postgres/connection/pool.ts';
import { preflight } from '../../src/postgres/connection/preflight.ts';
import { publishedTablesSql } from '../../src/postgres/catalog/published-tables.ts';
import { createPublication } from '../../src/postgres/catalog/publication.ts';
import { replicationPort } from '../../src/postgres/replication/replication-port.ts';
import { NOTHING_STORED } from '../../src/postgres/replication/slot-standing.ts';
import { snapshotPort } from '../../src/postgres/snapshot/snapshot-port.ts';
import { openPort } from '../support/postgres/port-harness.ts';
import { createDatabaseOn, serverUrl, type TestDatabase } from '../support/postgres/postgres.ts';
import { targetOf } from '../support/postgres/postgres-target.ts';
import { newMemories } from '../support/postgres/publication-memories.ts';
import { RecordingSink } from '../support/postgres/recording-sink.ts';
import { RecordingTarget } from '../support/postgres/snapshot-target.ts';
import { EMBEDDED, majorOf, startVersion, VERSIONS, type VersionServer } from '../support/postgres/versions.ts';

/** Before that nothing is published by its schema. */
const SCHEMAS_SINCE = 15;
/** Before that no generated column is published. */
const GENERATED_SINCE = 18;

describe.each(VERSIONS)('Postgres %s', (version) => {
  let server: VersionServer | undefined;
  let database: TestDatabase;
  beforeAll(async () => {
    if (version !== EMBEDDED) server = await startVersion(version);
    database = await createDatabaseOn(server?.url ?? (await serverUrl()));
  });
  afterAll(async () => {
    await database.drop();
    await server?.stop();
  });

  test('is of the version that it is taken for', async () => {
    const told = await database.query(`SELECT current_setting('server_version_num')::int / 10000 AS major`);

    expect(told).toEqual([{ major: majorOf(version) }]);
  });

  test('publishes a table, takes its snapshot and streams its changes', async () => {
    const target = targetOf(database.url);
    const sink = new RecordingSink();
    const rows = new RecordingTarget({ name: 'items', columns: ['id', 'text'] });
    const pool = createPool({ target, applicationName: 'test', max: 2 });
    await pool.open();
    await database.query(`CREATE TABLE items (id int PRIMARY KEY, text text); INSERT INTO items VALUES (1, 'before')`);
    const replication = await openPort(
      replicationPort({
        target, slot: database.name, publication: 'versions', owner: '@owner',
        sink, transactionBytesMax: 1e9, lastCommitLsn: () => LSN_ZERO, stored: () => NOTHING_STORED,
      }),
    );
    await replication.ask({ type: 'connect' });
    await replication.ask({ type: 'createSlot' });
    const found = await createCatalog(pool).relation('public', 'items');
    const oid = found !== undefined && 'oid' in found ? found.oid : 0;
    const options = { publication: 'versions', isManual: false, ...newMemories(), clock: systemClock };
    await createPublication({ pool, ...options }).add([{ oid, schema: 'public', name: 'items' }]);
    await replication.ask({ type: 'startStreaming' });
    const snapshots = await openPort(snapshotPort({ pool, target: () => rows }));

    await snapshots.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' });
    await database.query(`UPDATE items SET text = 'after'`);
    await sink.until(({ transactions }) => transactions.some(({ changes }) => changes.length > 0));

    const problem = await preflight(target, { slot: database.name });
    await replication.close();
    await pool.close();
    expect({ problem, rows: rows.read, changes: sink.rows }).toEqual({
      problem: undefined,
      rows: [['1', 'before']],
      changes: [{ kind: 2, table: 'items', position: 0, old: ['1', 'before'], new: ['1', 'after'] }],
    });
  });

  test('publications tell of the tables that their view lists', async () => {
    const ofSchemas = majorOf(version) < SCHEMAS_SINCE ? '' : 'CREATE PUBLICATION schemas FOR TABLES IN SCHEMA whole;';
    await database.query(`
      CREATE SCHEMA whole; CREATE TABLE whole.alone (id int); CREATE UNLOGGED TABLE whole.unlogged (id int); CREATE TABLE apart (id int);
      CREATE TABLE whole.root (id int) PARTITION BY LIST (id); CREATE TABLE outside PARTITION OF whole.root DEFAULT PARTITION BY LIST (id);
      CREATE TABLE below PARTITION OF outside DEFAULT; CREATE TABLE heir () INHERITS (apart); CREATE VIEW whole.seen AS SELECT FROM apart;
      CREATE PUBLICATION members FOR TABLE ONLY apart, outside; CREATE PUBLICATION everything FOR ALL TABLES;
      ${ofSchemas} CREATE PUBLICATION nothing`);

    const ours = await database.query(`SELECT p.pubname, relid::regclass::text AS name FROM ${publishedTablesSql('true')}
      JOIN pg_publication p ON p.oid = pubid ORDER BY 1, 2`);

    const listed = `(quote_ident(schemaname) || '.' || quote_ident(tablename))::regclass::text`;
    const theirs = await database.query(`SELECT DISTINCT pubname, ${listed} AS name FROM pg_publication_tables ORDER BY 1, 2`);
    await database.query('DROP PUBLICATION IF EXISTS members, everything, schemas, nothing');
    expect(ours).toEqual(theirs);
  });

  test('a stored generated column is one that the stream leaves out before Postgres 18, and none from then on', async () => {
    const pool = createPool({ target: targetOf(database.url), applicationName: 'test', max: 1 });
    await pool.open();
    await database.query('CREATE TABLE sums (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)');
    const found = await createCatalog(pool).relation('public', 'sums');
    await pool.close();
    const isLeftOut = majorOf(version) < GENERATED_SINCE;
    expect(found).toMatchObject({ columns: [{ name: 'id', generated: false }, { name: 'twice', generated: isLeftOut }] });
  });
});
