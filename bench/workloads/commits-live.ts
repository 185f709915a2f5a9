/** A writer that commits one row after the other and waits for nobody, not even for its own fsync; and a client that follows. */
import { createTable, writeRows } from '../database.ts';
import { ShapeReader } from '../shape-reader.ts';
import { either, max, min, timesLimitMin, type Workload } from '../suite/workload.ts';
import { spentDuring, timed } from '../timing.ts';
import { checkRows } from './rows.ts';

export const commitsLive: Workload = {
  name: 'commits-live',
  sentence: 'a writer that commits one row at a time without waiting, and a client by long-poll, until it has them all',
  size: 20_000,
  unit: 'commits of one row',
  limit: 'the same writer into a table that nobody follows',
  targets: { 'commits per second': either(min(8_000), timesLimitMin(0.95)), 'CPU per commit': max(90) },
  async *measure(world, commits) {
    const writer = await world.session();
    const service = await world.service();
    for (let round = 0; ; round += 1) {
      const [alone, table] = [`unfollowed_${round}`, `followed_${round}`];
      for (const name of [alone, table]) await createTable(writer, name);
      const reader = new ShapeReader(service.url, { table });
      await reader.readToEnd();
      const aloneMs = await timed(() => writeRows(writer, alone, commits, 1));
      const { elapsedMs, cpuMicros } = await spentDuring(service, async () => {
        await Promise.all([writeRows(writer, table, commits, 1), reader.readRows(commits)]);
      });
      await checkRows(writer, table, reader, commits);
      reader.close();
      yield [
        { what: 'commits per second', unit: '/s', measured: (commits / elapsedMs) * 1000, limit: (commits / aloneMs) * 1000 },
        { what: 'CPU per commit', unit: 'µs', measured: cpuMicros / commits },
      ];
    }
  },
};
