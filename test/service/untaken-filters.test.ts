/** A storage in which another version has left a shape that this one does not take any more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { invariant } from '../../src/base/invariant.ts';
import { LOG_START } from '../../src/model/log-position.ts';
import type { Handle } from '../../src/model/shape.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { ShapeRecord } from '../../src/storage/log/shape-record.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';
import { snapshotOf } from '../support/storage/stored-samples.ts';

const UNTAKEN = '1-1' as Handle;
const table = { table: 'items', where: 'id IN (SELECT id FROM items)' };
const directory = mkdtempSync(join(tmpdir(), 'armature-untaken-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id int PRIMARY KEY); INSERT INTO items VALUES (1)');
});
afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true });
});

async function withService<Result>(use: (service: ServiceInProcess) => Promise<Result>): Promise<Result> {
  const service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory } });
  return await use(service).finally(() => service.remove());
}

async function withStorage<Result>(use: (storage: Storage) => Promise<Result>): Promise<Result> {
  const storage = await openStorage({ directory, clock: systemClock });
  return await use(storage).finally(() => storage.close());
}

/** As a version stored it that took a filter with more places. */
async function storeUntaken({ shapes }: Storage, like: Handle): Promise<void> {
  const known = shapes.get(like);
  invariant(known !== undefined, 'a shape that was served is stored');
  const subqueries = [1, 2, 3, 4].map((id) => `id IN (SELECT id FROM items WHERE id > ${id})`);
  const alternatives = Array.from({ length: 76 }, (_, id) => `id = ${id}`);
  const text = `${subqueries.join(' AND ')} AND (${alternatives.join(' OR ')})`;
  const definition = { ...known.definition, where: { text, params: [], canonical: text } };
  await snapshotOf(shapes.create(UNTAKEN, definition, known.dependsOn), []);
}

async function deletionOf({ log }: Storage, handle: Handle): Promise<ShapeRecord | undefined> {
  for await (const { record } of log.records(LOG_START)) if (record.type === 'shape.deleted' && record.handle === handle) return record;
  return undefined;
}

test('a stored shape whose filter is not taken any more ends with the reason, and the others come back under their handles', async () => {
  const { handle } = await withService((service) => readShape(service.shapeUrl, { ...table, offset: '-1' }));
  await withStorage((storage) => storeUntaken(storage, handle as Handle));

  const again = await withService((service) => readShape(service.shapeUrl, { ...table, handle: handle ?? '', offset: '0_inf' }));

  expect({ again, deletion: await withStorage((storage) => deletionOf(storage, UNTAKEN)) }).toMatchObject({
    again: { status: 200, handle },
    deletion: { why: expect.stringMatching(/^this version does not take its filter: .*\(304 subquery positions exceeds limit/) as unknown },
  });
});
