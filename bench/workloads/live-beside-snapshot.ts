/** What a client of one shape feels while another shape is read for the first time. */
import { ShapeReader } from '../shape-reader.ts';
import { followedTable } from '../clients/followed-table.ts';
import { invariant } from '../../src/base/invariant.ts';
import { timesLimitMax, type Workload } from '../suite/workload.ts';
import { median, quantile, timed } from '../timing.ts';
import { createFilledTable } from './rows.ts';

const TABLE = 'beside_rows';
const SPINNERS = 2;
const WARM_UP = 20;

export const liveBesideSnapshot: Workload = {
  name: 'live-beside-snapshot',
  sentence: 'from the acknowledgement of a commit to a client that waits, while somebody else reads a cold snapshot of another table',
  size: 1_000_000,
  unit: 'rows in the snapshot',
  limit: 'the same client for as long a time beside two processes that spin, and no snapshot',
  targets: { p50: timesLimitMax(1.2), p99: timesLimitMax(1.2) },
  async *measure(world, rows) {
    await createFilledTable(world.database, TABLE, rows);
    const service = await world.service();
    const live = await followedTable(await world.session(), 'beside_live');
    const follower = new ShapeReader(service.url, { table: live.table });
    await follower.readToEnd();
    await live.follow(follower.place, 'long-poll');
    const reader = await world.peer('snapshot-reader', service.url);
    const spinners = await Promise.all(Array.from({ length: SPINNERS }, () => world.peer('spinner')));
    try {
      await live.delaysOf(Math.min(WARM_UP, rows));
      for (;;) {
        let busy: readonly number[] = [];
        const tookMs = await timed(async () => {
          reader.tell({ table: TABLE });
          const read = reader.next();
          busy = await live.delaysWhile(read);
          const { rows: told } = await read;
          invariant(told === rows, `the snapshot has ${rows} rows, not ${String(told)}`);
        });
        await service.forget({ table: TABLE });
        for (const spinner of spinners) spinner.tell({ spin: 1 });
        const control = await live.delaysOf(busy.length);
        for (const spinner of spinners) spinner.tell({ spin: 0 });
        yield [
          { what: 'p50', unit: 'ms', measured: median(busy), limit: median(control) },
          { what: 'p99', unit: 'ms', measured: quantile(busy, 0.99), limit: quantile(control, 0.99) },
          { what: 'the snapshot took', unit: 'ms', measured: tookMs },
        ];
      }
    } finally {
      live.close();
    }
  },
};
