/**
 * A backlog of committed rows through the service, until a client that follows the shape has them all.
 *
 * The service is held still while the backlog is written, so that the writer is not part of what is measured. The limit is the same backlog
 * from a second slot, by a process that lets the bytes go.
 */
import { invariant } from '../../src/base/invariant.ts';
import { createTable, type Database, writeRows } from '../database.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { createSlot, drainSlot } from '../slot-drain.ts';
import { max, timesLimitMax, type Target, type Workload } from '../suite/workload.ts';
import { spentDuring, type Spent } from '../timing.ts';
import { checkRows } from './rows.ts';

export const ingestion1 = ingestionOf(1, timesLimitMax(1.5), max(12));
export const ingestion100 = ingestionOf(100, timesLimitMax(1.2), max(4));
export const ingestion10000 = ingestionOf(10_000, timesLimitMax(1.2), max(4));

function ingestionOf(transactionRows: number, time: Target, cpu: Target): Workload {
  return {
    name: `ingestion-${transactionRows}`,
    sentence: `a backlog of inserts, ${transactionRows} per transaction, until a client that follows the shape has them all`,
    size: 200_000,
    unit: 'rows',
    limit: 'the same backlog from another slot, by pg_recvlogical, or by a bare socket where there is none',
    targets: { 'until the client has all': time, 'CPU per row': cpu },
    async *measure(world, rows) {
      const service = await world.service();
      for (let round = 0; ; round += 1) {
        const backlog = { table: `changes_by_${transactionRows}_${round}`, rows, transactionRows };
        const { limitMs, elapsedMs, cpuMicros } = await ingested(world.database, service, backlog);
        yield [
          { what: 'until the client has all', unit: 'ms', measured: elapsedMs, limit: limitMs },
          { what: 'CPU per row', unit: 'µs', measured: cpuMicros / rows },
        ];
      }
    },
  };
}

export interface Backlog {
  /** Is made. */
  readonly table: string;
  readonly rows: number;
  readonly transactionRows: number;
}

export interface Ingested extends Spent {
  readonly limitMs: number;
}

export async function ingested(database: Database, service: Service, { table, rows, transactionRows }: Backlog): Promise<Ingested> {
  await createTable(database, table);
  const reader = new ShapeReader(service.url, { table });
  await reader.readToEnd(); // The shape exists, is empty, and its table is published.
  const slot = await createSlot(database, table);
  reader.close(); // What is held for minutes has let go of it when it goes on, and could not say so.
  service.hold();
  await writeRows(database, table, rows, transactionRows);
  const { elapsedMs: limitMs } = await drainSlot(database, slot);
  const spent = await spentDuring(service, async () => {
    service.resume();
    await reader.readRows(rows);
  });
  await checkRows(database, table, reader, rows);
  invariant(spent.elapsedMs > 0, 'a backlog takes time');
  reader.close();
  return { ...spent, limitMs };
}
