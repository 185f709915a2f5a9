/** Slots of our name and with our mark that no stream of ours can be made of, on each Postgres at hand. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Lsn, LSN_ZERO } from '../../../src/model/lsn.ts';
import type { StreamSource } from '../../../src/model/stream-source.ts';
import { replicationPort } from '../../../src/postgres/replication/replication-port.ts';
import { NOTHING_STORED, type StoredStream } from '../../../src/postgres/replication/slot-standing.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabaseOn, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingSink } from '../../support/postgres/recording-sink.ts';
import { startVersion, VERSIONS, type VersionServer } from '../../support/postgres/versions.ts';

describe.each(VERSIONS)('Postgres %s', (version) => {
  let server: VersionServer;
  let database: TestDatabase;
  let port: RunningPort;
  let stored: StoredStream;

  beforeAll(async () => {
    server = await startVersion(version, { max_slot_wal_keep_size: '1MB' });
  });
  afterAll(() => server.stop());

  /** A slot of ours, whose storage goes on with it, and a connection that is free again. */
  beforeEach(async () => {
    database = await createDatabaseOn(server.url);
    stored = NOTHING_STORED;
    port = await openPort(
      replicationPort({
        target: targetOf(database.url), slot: database.name, publication: 'ours', owner: '@owner',
        sink: new RecordingSink(), transactionBytesMax: 1e9, lastCommitLsn: () => LSN_ZERO, stored: () => stored,
      }),
    );
    const { source } = await port.ask({ type: 'connect' });
    const { lsn } = await port.ask({ type: 'createSlot' });
    port.tell({ type: 'disconnect' });
    stored = { source: source as StreamSource, heldLsn: lsn as Lsn };
  });
  afterEach(async () => {
    await port.close();
    await database.drop();
  });

  async function replaceSlot(by: string): Promise<void> {
    await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND NOT active`);
    await database.query(`SELECT pg_drop_replication_slot('${database.name}')`);
    await database.query(by.replace('$slot', `'${database.name}'`));
  }

  const standing = () => database.query(`
    SELECT restart_lsn::text, confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = '${database.name}'`);

  test.each([
    ['two phases', 'two_phase = true', `SELECT pg_create_logical_replication_slot($slot, 'pgoutput', false, true)`],
    ['a temporary one', 'end that connection', `SELECT pg_create_logical_replication_slot($slot, 'pgoutput', true)`],
    ['a physical one', 'a physical one', 'SELECT pg_create_physical_replication_slot($slot)'],
  ])('refuses to stream from %s, says what to do, and leaves it alone', async (_, words, by) => {
    await replaceSlot(by);
    const before = await standing();

    const answer = await port.ask({ type: 'connect' });
    const early = await port.ask({ type: 'startStreaming' });

    expect({ answer, early: early.type, after: await standing() }).toEqual({
      answer: {
        type: 'replication.refused',
        error: {
          code: 'slot_of_another_kind',
          message: expect.stringMatching(new RegExp(`^Armature cannot stream from the replication slot "${database.name}": [^.]*${words}`)),
        },
        fatal: true,
      },
      early: 'replication.refused',
      after: before,
    });
  });

  test('makes one anew that Postgres has invalidated, and streams from that', async () => {
    await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND NOT active`);
    for (let segment = 0; segment < 3; segment += 1) await database.query(`SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()`);
    await database.query('CHECKPOINT');
    const [lost] = await database.query(`SELECT wal_status FROM pg_replication_slots WHERE slot_name = '${database.name}'`);

    const told = await port.ask({ type: 'connect' });
    const early = await port.ask({ type: 'startStreaming' });
    await port.ask({ type: 'createSlot' });
    const { type } = await port.ask({ type: 'startStreaming' });

    expect({ lost, told, early: early.type, type }).toMatchObject({
      lost: { wal_status: 'lost' },
      told: { standing: 'lost', why: expect.stringContaining('its wal_status is lost') },
      early: 'replication.refused',
      type: 'replication.streaming',
    });
  });
});
