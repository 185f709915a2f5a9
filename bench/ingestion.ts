/**
 * Ingestion: a backlog of committed rows through the service, until a client that follows the shape has them all.
 *
 * The service is held still while the backlog is written, so that the writer is not part of what is measured. The floor
 * is the same backlog from a second slot, by a process that lets the bytes go.
 */
import { systemClock } from '../src/base/clock.ts';
import { createTable, type Database, writeRows } from './database.ts';
import type { Measurement } from './report.ts';
import type { Service } from './service.ts';
import { ShapeReader } from './shape-reader.ts';
import { createSlot, drainSlot } from './slot-drain.ts';

export async function ingestion(database: Database, service: Service, rows: number, transactionRows: number): Promise<Measurement[]> {
  const table = `changes_by_${transactionRows}`;
  await createTable(database, table);
  const reader = new ShapeReader(service.url, { table });
  await reader.readToEnd(); // The shape exists, is empty, and its table is published.
  const slot = await createSlot(database, table);

  service.hold();
  await writeRows(database, table, rows, transactionRows);
  const usedBefore = service.usage();
  const startedMs = systemClock.nowMs();
  service.resume();
  await reader.readRows(rows);
  const elapsedMs = systemClock.nowMs() - startedMs;
  const cpuMicros = service.usage().cpuMicros - usedBefore.cpuMicros;

  const floor = await drainSlot(database, slot);
  return [
    { what: floor.what, rows, elapsedMs: floor.elapsedMs },
    { what: 'the service, until a live client has all', rows, elapsedMs, cpuMicros, timesFloor: elapsedMs / floor.elapsedMs },
  ];
}
