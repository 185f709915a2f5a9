/** The first request for the shape of a whole table, read to its end. */
import { ShapeReader } from '../shape-reader.ts';
import { max, timesLimitMax, type Round, type Workload } from '../suite/workload.ts';
import type { World } from '../suite/world.ts';
import { spentDuring, timed } from '../timing.ts';
import { checkRows, createFilledTable } from './rows.ts';

const MIB = 1024 * 1024;

export const coldSnapshot: Workload = {
  name: 'cold-snapshot',
  sentence: 'a shape of a whole table that nobody has asked for before, from the first request to up-to-date',
  size: 1_000_000,
  unit: 'rows: an int key, 100 bytes of text, an int',
  limit: 'COPY (SELECT …) TO STDOUT, its bytes counted',
  targets: { 'first request to up-to-date': timesLimitMax(4), 'CPU per row': max(1.3) },
  measure: (world, size) => measure(world, size, 'cold_rows'),
};

export const largeSnapshot: Workload = {
  ...coldSnapshot,
  name: 'large-snapshot',
  sentence: 'the same of ten times the rows, by a service that has not read anything before: whether memory grows with them',
  size: 10_000_000,
  isRare: true,
  measure: (world, size) => measure(world, size, 'large_rows'),
};

async function* measure(world: World, rows: number, table: string): AsyncGenerator<Round, void, void> {
  const { database } = world;
  await createFilledTable(database, table, rows);
  const service = await world.service();
  for (;;) {
    const limit = await timed(() => database.copyOut(`COPY (SELECT id, body, amount FROM ${table}) TO STDOUT`));
    const reader = new ShapeReader(service.url, { table });
    const { elapsedMs, cpuMicros } = await spentDuring(service, () => reader.readToEnd());
    await checkRows(database, table, reader, rows);
    await service.forget({ table });
    yield [
      { what: 'first request to up-to-date', unit: 'ms', measured: elapsedMs, limit },
      { what: 'CPU per row', unit: 'µs', measured: cpuMicros / rows },
      { what: 'resident at most', unit: 'MiB', measured: (service.usage().peakMemoryBytes ?? 0) / MIB },
    ];
  }
}
