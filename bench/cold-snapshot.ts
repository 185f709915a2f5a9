/**
 * Cold snapshot: the first request for a shape of a whole table, read to its end over HTTP. The floor is the same rows
 * by `COPY … TO STDOUT` into a process that counts bytes: before and after, the better of the two.
 */
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
import { createTable, type Database, writeRows } from './database.ts';
import type { Measurement } from './report.ts';
import type { Service } from './service.ts';
import { ShapeReader } from './shape-reader.ts';

const TABLE = 'snapshot_rows';
const COPY = `COPY (SELECT id, body, amount FROM ${TABLE}) TO STDOUT`;

export async function coldSnapshot(database: Database, service: Service, rows: number): Promise<Measurement[]> {
  await createTable(database, TABLE);
  await writeRows(database, TABLE, rows, rows);
  await database.query(`VACUUM (ANALYZE) ${TABLE}`); // Else the first reader pays for the hint bits of all.

  const before = await timed(() => database.copyOut(COPY));
  const usedBefore = service.usage();
  const reader = new ShapeReader(service.url, { table: TABLE });
  const elapsedMs = await timed(() => reader.readToEnd());
  const used = service.usage();
  const after = await timed(() => database.copyOut(COPY));

  invariant(reader.rows === rows, `the snapshot holds ${rows} rows, not ${reader.rows}`);
  const floorMs = Math.min(before, after);
  return [
    { what: 'COPY … TO STDOUT, bytes counted', rows, elapsedMs: floorMs },
    {
      what: 'GET /v1/shape from -1 to up-to-date',
      rows,
      elapsedMs,
      cpuMicros: used.cpuMicros - usedBefore.cpuMicros,
      timesFloor: elapsedMs / floorMs,
      ...(used.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: used.peakMemoryBytes }),
    },
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = systemClock.nowMs();
  await work();
  return systemClock.nowMs() - startedMs;
}
