/** A client that was away for long: all that it missed is read at once. */
import { invariant } from '../../src/base/invariant.ts';
import { pullBytes } from '../clients/pull-bytes.ts';
import { createTable, writeRows } from '../database.ts';
import { ShapeReader } from '../shape-reader.ts';
import { max, type Workload } from '../suite/workload.ts';
import { comeToRest, spentDuring, timed } from '../timing.ts';
import { checkLast, checkRows } from './rows.ts';

const TABLE = 'missed_rows';
const TRANSACTION_ROWS = 100;
/** The up-to-date tells how far the service has come, which may have a digit more by the next read. */
const LSN_DIGITS_MAX = 20;

export const catchUp: Workload = {
  name: 'catch-up',
  sentence: 'the log of a shape behind its empty snapshot, from the first request to up-to-date',
  size: 200_000,
  unit: 'inserts in the log, some 300 bytes each',
  limit: 'as many bytes from the memory of a bare node:http, over a loopback socket',
  targets: { 'CPU per entry': max(0.4) },
  async *measure(world, rows) {
    const { database } = world;
    await createTable(database, TABLE);
    const service = await world.service();
    const server = await world.peer('bare-server');
    const first = new ShapeReader(service.url, { table: TABLE });
    await first.readToEnd();
    await writeRows(database, TABLE, rows, TRANSACTION_ROWS);
    await first.readRows(rows);
    await checkRows(database, TABLE, first, rows);
    await comeToRest(service);
    const sample = new ShapeReader(service.url, { table: TABLE });
    await sample.readToEnd();
    await checkRows(database, TABLE, sample, rows);
    for (;;) {
      const limit = await timed(() => pullBytes(Number(server.ready['port']), sample.bytes));
      const reader = new ShapeReader(service.url, { table: TABLE }, { isHasty: true });
      const { elapsedMs, cpuMicros } = await spentDuring(service, () => reader.readToEnd());
      reader.close();
      const isAlike = Math.abs(reader.bytes - sample.bytes) < LSN_DIGITS_MAX;
      invariant(isAlike, `everybody is told the same: ${sample.bytes} bytes, not ${reader.bytes}`);
      await checkLast(database, TABLE, reader, rows);
      yield [
        { what: 'first request to up-to-date', unit: 'ms', measured: elapsedMs, limit },
        { what: 'CPU per entry', unit: 'µs', measured: cpuMicros / rows },
      ];
    }
  },
};
