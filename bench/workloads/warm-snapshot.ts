/** What was read before: bytes that the service has, and Postgres is not asked for. */
import { invariant } from '../../src/base/invariant.ts';
import { pullBytes } from '../clients/pull-bytes.ts';
import { ShapeReader } from '../shape-reader.ts';
import { max, type Workload } from '../suite/workload.ts';
import { spentDuring, timed } from '../timing.ts';
import { checkLast, checkRows, createFilledTable } from './rows.ts';

const TABLE = 'warm_rows';

export const warmSnapshot: Workload = {
  name: 'warm-snapshot',
  sentence: 'the same shape for everybody who comes later, from the first request to up-to-date',
  size: 1_000_000,
  unit: 'rows, some 240 bytes of JSON each',
  limit: 'as many bytes from the memory of a bare node:http, over a loopback socket',
  targets: { 'CPU per row': max(0.2) },
  async *measure(world, rows) {
    const { database } = world;
    await createFilledTable(database, TABLE, rows);
    const service = await world.service();
    const server = await world.peer('bare-server');
    const first = new ShapeReader(service.url, { table: TABLE });
    await first.readToEnd();
    await checkRows(database, TABLE, first, rows);
    for (;;) {
      const limit = await timed(() => pullBytes(Number(server.ready['port']), first.bytes));
      const reader = new ShapeReader(service.url, { table: TABLE }, { isHasty: true });
      const { elapsedMs, cpuMicros } = await spentDuring(service, () => reader.readToEnd());
      invariant(reader.bytes === first.bytes, `who comes later is told the same: ${first.bytes} bytes, not ${reader.bytes}`);
      await checkLast(database, TABLE, reader, rows);
      yield [
        { what: 'first request to up-to-date', unit: 'ms', measured: elapsedMs, limit },
        { what: 'CPU per row', unit: 'µs', measured: cpuMicros / rows },
      ];
    }
  },
};
