/** What it costs that shapes sleep: a change that finds them so, next to the same change that finds them awake. */
import { createShapes } from '../clients/create-shapes.ts';
import { LiveClient } from '../clients/live-client.ts';
import { untilAllHold } from '../clients/until-all.ts';
import { systemClock } from '../../src/base/clock.ts';
import { ShapeReader } from '../shape-reader.ts';
import type { Workload } from '../suite/workload.ts';
import { pause, spentUntilRest, type Spent } from '../timing.ts';

const TABLE = 'sleeping_rows';
/** Longer than it takes to see that a service is at rest, so that what was woken is awake when the next change comes. */
const SLEEPS_AFTER_MS = 2_000;
const ASLEEP_AFTER_MS = 2_500;

export const wake: Workload = {
  name: 'wake',
  sentence: 'one transaction that touches shapes of which each has waited long enough to sleep',
  size: 1_000,
  unit: 'shapes owner = N',
  limit: 'the next transaction, which finds them awake',
  targets: {},
  async *measure(world, shapes) {
    const { database } = world;
    await database.query(`CREATE TABLE ${TABLE} (id int PRIMARY KEY, owner int NOT NULL, body text NOT NULL)`);
    await database.query(`INSERT INTO ${TABLE} SELECT i, i, 'body' FROM generate_series(0, ${shapes - 1}) i`);
    const service = await world.service({ ARMATURE_SHAPE_HIBERNATE_AFTER: `${SLEEPS_AFTER_MS}ms` });
    const definitions = Array.from({ length: shapes }, (_, owner) => ({ table: TABLE, where: `owner = ${owner}` }));
    const handles = await createShapes(service.url, definitions);
    const first = new ShapeReader(service.url, definitions[0] ?? {});
    await first.readToEnd();
    const client = await LiveClient.follow(first.place, 'long-poll');
    const touched = async (body: string): Promise<Spent> => {
      const arrival = client.arrivalOf(body);
      let committedMs = 0;
      const { cpuMicros } = await spentUntilRest(service, async () => {
        await database.query(`UPDATE ${TABLE} SET body = '${body}'`);
        committedMs = systemClock.nowMs();
        await arrival;
      });
      return { elapsedMs: (await arrival) - committedMs, cpuMicros };
    };
    const logs = definitions.map((definition, index) => {
      return `/v1/shape?${new URLSearchParams({ ...definition, handle: handles[index] ?? '', offset: '0_0' }).toString()}`;
    });
    try {
      for (let round = 1; ; round += 1) {
        await pause(ASLEEP_AFTER_MS);
        const asleep = await touched(`asleep ${round}.`);
        const awake = await touched(`awake ${round}.`);
        await untilAllHold(service.url, logs, `awake ${round}.`);
        yield [
          { what: 'CPU per shape', unit: 'µs', measured: asleep.cpuMicros / shapes, limit: awake.cpuMicros / shapes },
          { what: 'until a client of one has it', unit: 'ms', measured: asleep.elapsedMs, limit: awake.elapsedMs },
        ];
      }
    } finally {
      client.close();
    }
  },
};
