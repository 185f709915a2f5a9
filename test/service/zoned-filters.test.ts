/** A filter that names a time zone: Postgres takes its first rows, we take its changes, and a restart forgets nothing of its rules. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, type ShapeResponse } from '../support/service/shape-follower.ts';

const TABLE = { table: 'items', where: "at AT TIME ZONE 'Europe/Berlin' >= '2024-07-01'" };
const directory = mkdtempSync(join(tmpdir(), 'armature-zoned-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, at timestamptz);
    INSERT INTO items VALUES (1, '2024-06-30 21:59:59Z'), (2, '2024-06-30 22:00:00Z')`);
});
afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true });
});

async function withService<Result>(use: (service: ServiceInProcess) => Promise<Result>): Promise<Result> {
  const service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory } });
  return await use(service).finally(() => service.remove());
}

function idsIn({ messages }: ShapeResponse): readonly unknown[] {
  return messages.flatMap(({ value }) => value?.['id'] ?? []);
}

test('its rows are those whose clocks show so, from the first rows on and behind a restart', async () => {
  const follow = async ({ shapeUrl }: ServiceInProcess, { handle, offset }: ShapeResponse, values: string): Promise<ShapeResponse> => {
    await database.query(`INSERT INTO items VALUES ${values}`);
    return await readShape(shapeUrl, { ...TABLE, handle: handle ?? '', offset: offset ?? '', live: 'true' });
  };
  const [first, live] = await withService(async (service) => {
    const snapshot = await readShape(service.shapeUrl, { ...TABLE, offset: '-1' });
    return [snapshot, await follow(service, snapshot, "(3, '2024-06-30 21:59:59Z'), (4, '2024-06-30 22:00:00Z')")];
  });
  const restored = await withService((service) => follow(service, live, "(5, '2024-06-30 21:59:59Z'), (6, '2024-06-30 22:00:00Z')"));

  expect([first, live, restored].map(idsIn)).toEqual([['2'], ['4'], ['6']]);
  expect(restored.handle).toBe(first.handle);
});

test('a zone that Postgres does not have is a mistake', async () => {
  const where = "at AT TIME ZONE 'Nowhere' > '2024-07-01'";
  const answer = await withService(({ shapeUrl }) => readShape(shapeUrl, { ...TABLE, where, offset: '-1' }));
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('At location 3: time zone \\"Nowhere\\" not recognized')]);
});
