/** One subquery that selects very many values: how soon a shape over them is there, what each needs of memory, and a move among them. */
import type { Database } from '../database.ts';
import { memoryReadings, settledMemory } from '../settled-memory.ts';
import { ShapeReader } from '../shape-reader.ts';
import type { Workload } from '../suite/workload.ts';
import { median, timed } from '../timing.ts';

const HOLDERS = 1_000;
const TRIES = 20;
const TABLES = `
  CREATE TABLE badges (id int PRIMARY KEY, number int NOT NULL, valid boolean NOT NULL);
  CREATE TABLE holders (id int PRIMARY KEY, badge int NOT NULL);
  CREATE INDEX ON holders (badge)`;
const WHERE = 'badge IN (SELECT number FROM badges WHERE valid)';

export const subqueryValues: Workload = {
  name: 'subquery-values',
  sentence: 'a shape whose subquery selects very many values: until its rows are there, memory, and one value that comes',
  size: 2_000_000,
  unit: 'values, and 1,000 rows',
  limit: 'a SELECT of the same rows',
  targets: {},
  isRare: true,
  async *measure(world, values) {
    const { database } = world;
    await database.query(TABLES);
    await database.query(`
      INSERT INTO badges SELECT i, 1000000 + i, true FROM generate_series(1, ${values}) i;
      INSERT INTO holders SELECT i, 1000000 + i FROM generate_series(1, ${HOLDERS}) i`);
    await database.query('VACUUM (ANALYZE) badges, holders');
    for (;;) {
      yield await world.withService(async (service) => {
        const inspector = await service.inspect();
        await new ShapeReader(service.url, { table: 'holders', where: 'badge < 0' }).readToEnd(); // What the first brings is not counted.
        const before = await settledMemory(service, inspector, values);
        const limit = await timed(() => database.query(`SELECT * FROM holders WHERE ${WHERE}`));
        const follower = new ShapeReader(service.url, { table: 'holders', where: WHERE });
        const elapsedMs = await timed(() => follower.readToEnd());
        const memory = memoryReadings(before, await settledMemory(service, inspector, values), values);
        inspector.close();
        const moves: number[] = [];
        for (let round = 0; round < TRIES; round += 1) moves.push(await moved(database, follower));
        return [
          { what: 'first request to up-to-date', unit: 'ms', measured: elapsedMs, limit },
          ...memory,
          { what: 'one value comes', unit: 'ms', measured: median(moves) },
        ];
      });
    }
  },
};

/** From the COMMIT until a client has the row that comes in. */
async function moved(database: Database, follower: ShapeReader): Promise<number> {
  const before = follower.rows;
  await database.query('UPDATE badges SET valid = false WHERE id = 1');
  await follower.readText('"event":"move-out"'); // On a busy machine both may be told as one, in which nothing moved.
  return await timed(async () => {
    await database.query('UPDATE badges SET valid = true WHERE id = 1');
    await follower.readRows(before + 1);
  });
}
