/** Clients that all come for the first time: a shape for each, over one table. */
import { createShapes } from '../clients/create-shapes.ts';
import { max, min, type Workload } from '../suite/workload.ts';
import { spentDuring } from '../timing.ts';

const ROWS_EACH = 3;

export const createEqualityShapes: Workload = {
  name: 'create-shapes',
  sentence: 'shapes owner = N, each asked for by a client of its own that gets its first rows, 32 clients at once',
  size: 10_000,
  unit: 'shapes of 3 rows',
  targets: { 'made per second': min(1_500), 'CPU per shape': max(0.7) },
  async *measure(world, shapes) {
    const { database } = world;
    await database.query(`
      CREATE TABLE created_rows (id int PRIMARY KEY, owner int NOT NULL, body text NOT NULL);
      INSERT INTO created_rows SELECT i, i / ${ROWS_EACH}, 'body of ' || i / ${ROWS_EACH}
        FROM generate_series(0, ${shapes * ROWS_EACH - 1}) i;
      CREATE INDEX ON created_rows (owner)`);
    await database.query('VACUUM (ANALYZE) created_rows');
    const definitions = Array.from({ length: shapes }, (_, owner) => ({ table: 'created_rows', where: `owner = ${owner}` }));
    for (;;) {
      yield await world.withService(async (service) => {
        const { elapsedMs, cpuMicros } = await spentDuring(service, () => createShapes(service.url, definitions, hasItsRows));
        return [
          { what: 'made per second', unit: '/s', measured: (shapes / elapsedMs) * 1000 },
          { what: 'CPU per shape', unit: 'ms', measured: cpuMicros / 1000 / shapes },
        ];
      });
    }
  },
};

function hasItsRows(body: string, owner: number): boolean {
  return body.split(`"body":"body of ${owner}"`).length === ROWS_EACH + 1;
}
