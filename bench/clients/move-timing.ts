/** How long after its COMMIT a live client has what a transaction moved. */
import { systemClock } from '../../src/base/clock.ts';
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { pause, spentDuring, type Spent } from '../timing.ts';

const PARKED_WITHIN_MS = 20;

interface Moved {
  readonly database: Database;
  readonly service: Service;
}

/** The reader waits when COMMIT is sent: what Postgres needs to make it durable is counted. */
export async function spentOnMove({ database, service }: Moved, change: string, arrived: () => Promise<void>): Promise<Spent> {
  const arrival = arrived().then(() => systemClock.nowMs());
  await pause(PARKED_WITHIN_MS);
  await database.query(`BEGIN; ${change}`);
  const committedMs = systemClock.nowMs();
  const { cpuMicros } = await spentDuring(service, async () => {
    await database.query('COMMIT');
    await arrival;
  });
  return { elapsedMs: (await arrival) - committedMs, cpuMicros };
}
