/** What somebody takes away from the stream by hand: the publication, or the slot. All shapes start over then. */
import type { Fault } from './fault.ts';
import { oneOf } from './fault.ts';
import { killAll } from './service-faults.ts';

const publicationAltered: Fault = {
  name: 'publication altered',
  excuses: 'all',
  isFoundOutLater: true,
  isMisleading: true,
  async strike({ world, random, table }) {
    const { publication, operator } = world;
    const sql = oneOf(random, [
      `ALTER PUBLICATION ${publication} SET (publish = 'insert')`,
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete')`,
      `ALTER PUBLICATION ${publication} DROP TABLE ${table}`,
    ]);
    await operator.insist(`DO $$ BEGIN ${sql}; EXCEPTION WHEN undefined_object OR undefined_table THEN NULL; END $$`);
    return undefined;
  },
};

const publicationDropped: Fault = {
  name: 'publication dropped',
  excuses: 'all',
  isFoundOutLater: true,
  isMisleading: true, // From Postgres 18 on the stream goes on, and leaves everything out.
  async strike({ world }) {
    await world.operator.insist(`DROP PUBLICATION IF EXISTS ${world.publication}`);
    return undefined;
  },
};

const slotDropped: Fault = {
  name: 'slot dropped while the service is down',
  excuses: 'all',
  async strike({ world }) {
    await world.serviceTurns.take(async () => {
      await killAll(world);
      await world.operator.insist(droppingSlot(world.slot));
      await world.instances.spawn();
    });
    return undefined;
  },
};

export const STREAM_FAULTS: readonly Fault[] = [publicationAltered, publicationDropped, slotDropped];

/** Its walsender may not have heard yet that its client is gone. */
function droppingSlot(slot: string): string {
  return `DO $$ BEGIN
    FOR attempt IN 1..400 LOOP
      PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slot}' AND active;
      EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '${slot}' AND active);
      PERFORM pg_sleep(0.01);
    END LOOP;
    PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${slot}';
  END $$`;
}
