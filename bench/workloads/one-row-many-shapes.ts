/** One row that very many shapes have: each of their logs gets it. */
import { systemClock } from '../../src/base/clock.ts';
import { createShapes } from '../clients/create-shapes.ts';
import { LiveClient } from '../clients/live-client.ts';
import { untilAllHold } from '../clients/until-all.ts';
import { ShapeReader } from '../shape-reader.ts';
import { max, type Workload } from '../suite/workload.ts';
import { comeToRest, spentUntilRest } from '../timing.ts';

const TABLE = 'shared_rows';
/** So many of the shapes have somebody who waits: all of them would be another workload. */
const WATCHED = 100;

export const oneRowManyShapes: Workload = {
  name: 'one-row-many-shapes',
  sentence: 'one commit of a row that very many shapes have, until all of their logs have it',
  size: 10_000,
  sizeMin: 2,
  unit: 'shapes b = 1 AND id > N, a hundred of them with a client that waits',
  targets: { 'until they have it, per shape': max(60) },
  async *measure(world, shapes) {
    const { database } = world;
    await database.query(`CREATE TABLE ${TABLE} (id int PRIMARY KEY, b int NOT NULL, body text NOT NULL)`);
    const service = await world.service();
    const definitions = Array.from({ length: shapes }, (_, index) => ({ table: TABLE, where: `b = 1 AND id > ${-index}` }));
    const handles = await createShapes(service.url, definitions);
    const step = Math.max(1, Math.floor(shapes / WATCHED));
    const watchers = await followersOf(service.url, definitions.filter((_, index) => index % step === 0));
    const logs = definitions.map((definition, index) => {
      return `/v1/shape?${new URLSearchParams({ ...definition, handle: handles[index] ?? '', offset: '0_0' }).toString()}`;
    });
    try {
      for (let round = 1; ; round += 1) {
        const text = `row ${round} of all`;
        await comeToRest(service);
        const arrivals = Promise.all(watchers.map((watcher) => watcher.arrivalOf(text)));
        let committedMs = 0;
        const { cpuMicros } = await spentUntilRest(service, async () => {
          await database.query(`INSERT INTO ${TABLE} VALUES (${round}, 1, '${text}')`);
          committedMs = systemClock.nowMs();
          await arrivals;
        });
        const elapsedMs = Math.max(...(await arrivals)) - committedMs;
        await untilAllHold(service.url, logs, text);
        yield [
          { what: 'until they have it, per shape', unit: 'µs', measured: (elapsedMs * 1000) / shapes },
          { what: 'CPU per shape', unit: 'µs', measured: cpuMicros / shapes },
        ];
      }
    } finally {
      for (const watcher of watchers) watcher.close();
    }
  },
};

function followersOf(url: string, definitions: readonly Readonly<Record<string, string>>[]): Promise<readonly LiveClient[]> {
  return Promise.all(definitions.map(async (definition) => {
    const reader = new ShapeReader(url, definition);
    await reader.readToEnd();
    reader.close();
    return await LiveClient.follow(reader.place, 'long-poll');
  }));
}
