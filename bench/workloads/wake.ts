/** What it costs that shapes sleep: a change that finds them so, next to the same change that finds them awake. */
import { createShapes } from '../clients/create-shapes.ts';
import { LiveClient } from '../clients/live-client.ts';
import { untilAllHold } from '../clients/until-all.ts';
import { systemClock } from '../../src/base/clock.ts';
import { ShapeReader } from '../shape-reader.ts';
import type { Round, Workload } from '../suite/workload.ts';
import type { World } from '../suite/world.ts';
import { pause, spentUntilRest, type Spent } from '../timing.ts';

interface Sleep {
  readonly name: string;
  readonly sentence: string;
  readonly rowsEach: number;
  /** Longer than it takes to see that a service is at rest, so that what was woken is awake when the next change comes. */
  readonly settings: Readonly<Record<string, string>>;
  readonly asleepAfterMs: number;
}

export const wake = wakeOf({
  name: 'wake',
  sentence: 'one transaction that touches shapes of which each has waited long enough to sleep',
  rowsEach: 1,
  settings: { ARMATURE_SHAPE_HIBERNATE_AFTER: '2s' },
  asleepAfterMs: 2_500,
});

export const wakeDormant = wakeOf({
  name: 'wake-dormant',
  sentence: 'one transaction of ten rows for each of the shapes that nothing has touched for so long that they have no process',
  rowsEach: 10,
  settings: { ARMATURE_SHAPE_HIBERNATE_AFTER: '1s', ARMATURE_SHAPE_DORMANT_AFTER: '4s' },
  asleepAfterMs: 10_000, // They are looked at every four seconds, and fall asleep five hundred a second.
});

function wakeOf({ name, sentence, rowsEach, settings, asleepAfterMs }: Sleep): Workload {
  return {
    name,
    sentence,
    size: 1_000,
    unit: 'shapes owner = N',
    limit: 'the next transaction, which finds them awake',
    targets: {},
    measure: (world, shapes) => measure(world, shapes, { table: name.replace('-', '_'), rowsEach, settings, asleepAfterMs }),
  };
}

async function* measure(
  world: World,
  shapes: number,
  { table, rowsEach, settings, asleepAfterMs }: Pick<Sleep, 'rowsEach' | 'settings' | 'asleepAfterMs'> & { readonly table: string },
): AsyncGenerator<Round, void, void> {
  const { database } = world;
  await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, owner int NOT NULL, body text NOT NULL)`);
  await database.query(`INSERT INTO ${table} SELECT i, i % ${shapes}, 'body' FROM generate_series(0, ${shapes * rowsEach - 1}) i`);
  await database.query(`CREATE INDEX ON ${table} (owner)`);
  const service = await world.service(settings);
  const definitions = Array.from({ length: shapes }, (_, owner) => ({ table, where: `owner = ${owner}` }));
  const handles = await createShapes(service.url, definitions);
  const first = new ShapeReader(service.url, definitions[0] ?? {});
  await first.readToEnd();
  const client = await LiveClient.follow(first.place, 'long-poll');
  const touched = async (body: string): Promise<Spent> => {
    const arrival = client.arrivalOf(body);
    let committedMs = 0;
    const { cpuMicros } = await spentUntilRest(service, async () => {
      await database.query(`UPDATE ${table} SET body = '${body}'`);
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
      await pause(asleepAfterMs);
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
}
