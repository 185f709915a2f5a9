/** What a Postgres with little room for locks says of a table with many partitions. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { EmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';
import { createPublication } from '../../../src/postgres/catalog/publication.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { newMemories } from '../../support/postgres/publication-memories.ts';
import { clusterDirectory } from '../../support/postgres/cluster-directory.ts';
import { startPostgres } from '../../support/postgres/start-postgres.ts';

const PARTITIONS = 1_500;
const SETTINGS = {
  fsync: 'off', autovacuum: 'off', max_connections: '10', max_locks_per_transaction: '10', max_wal_senders: '1', max_replication_slots: '1',
};
let server: EmbeddedPostgres;
let pool: DatabasePool;

beforeAll(async () => {
  server = await startPostgres({ directory: clusterDirectory(), settings: SETTINGS });
  pool = createPool({ target: targetOf(server.url), applicationName: 'test', max: 1 });
  await pool.open();
});
afterAll(async () => {
  await pool.close();
  await server.stop();
});

test('more partitions than it can lock are refused with what to do, and a review of them needs no locks', async () => {
  await pool.query('CREATE PUBLICATION pub');
  await pool.query('CREATE TABLE many (id int) PARTITION BY LIST (id)');
  for (let id = 0; id < PARTITIONS; id += 1) await pool.query(`CREATE TABLE many_${id} PARTITION OF many FOR VALUES IN (${id})`);
  const [row] = await pool.query<{ oid: number }>(`SELECT 'many'::regclass::oid::int8::float8 AS oid`);
  const many = { oid: row?.oid ?? 0, schema: 'public', name: 'many' };
  const publication = createPublication({ pool, publication: 'pub', isManual: false, ...newMemories(), clock: systemClock });

  const refusal: unknown = await publication.add([many]).catch((error: unknown) => error);

  expect({ refusal, faults: (await publication.review([many])).faults }).toMatchObject({
    refusal: { code: 'refused', message: expect.stringMatching(/out of shared memory\..*max_locks_per_transaction/) },
    faults: [{ fault: 'isNotPublished' }],
  });
});
