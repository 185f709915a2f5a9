/** How long an inner shape lives in the whole service: as long as others depend on it, or for good once a client reads it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { nodeDisk } from '../../src/storage/disk/disk.ts';
import { inspectStorage } from '../../src/storage/inspection/verification.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';
import { untilStored } from '../support/service/stored-shapes.ts';

const OUTER_COUNT = 50;
const directory = mkdtempSync(join(tmpdir(), 'armature-lifetime-'));
const inner = { table: 'parents', where: 'active', columns: 'id' };
const outer = { table: 'children', where: 'parent_id IN (SELECT id FROM parents WHERE active)' };
let database: TestDatabase;
let service: ServiceInProcess;

function start(): Promise<ServiceInProcess> {
  return startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory, 'enable-deletion': true } });
}

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int);
    INSERT INTO parents VALUES (1, true), (2, false);
    INSERT INTO children VALUES (1, 1), (2, 2)`);
});
beforeEach(async () => {
  service = await start();
  return async () => {
    await service.stop();
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
  };
});
afterAll(async () => {
  await service.remove();
  await database.drop();
  rmSync(directory, { recursive: true });
});

function read(shape: Readonly<Record<string, string>>) {
  return readShape(service.shapeUrl, { ...shape, offset: '-1' });
}

async function remove(shape: Readonly<Record<string, string>>): Promise<number> {
  return (await fetch(`${service.shapeUrl}?${new URLSearchParams(shape).toString()}`, { method: 'DELETE' })).status;
}

/** What there is of shapes: processes, what is stored of them, and tables that stay published for them. */
async function remains() {
  const published = await database.query<{ tablename: string }>('SELECT tablename FROM pg_publication_tables ORDER BY 1');
  const { shapes, others } = await inspectStorage(nodeDisk, directory);
  return {
    processes: service.runtime.printTree().match(/consumers\/\S+#/g)?.length ?? 0,
    stored: shapes.length + others.length,
    published: published.map(({ tablename }) => tablename),
  };
}

const NOTHING = { processes: 0, stored: 0, published: [] };

function untilRemains(expected: Awaited<ReturnType<typeof remains>>) {
  return expect.poll(remains, { interval: 20 }).toEqual(expected);
}

test('an inner shape goes with its last dependant: its log, its processes, and what it had published', async () => {
  await read(outer);
  await untilRemains({ processes: 3, stored: 2, published: ['children', 'parents'] });
  await remove(outer);

  await untilRemains(NOTHING);
});

test('an inner shape that a client reads stays, also over a restart', async () => {
  await read(outer);
  const { handle } = await read(inner);
  await untilStored(service);
  await service.stop();
  service = await start();
  await remove(outer);

  await untilRemains({ processes: 1, stored: 1, published: ['parents'] });
  expect(await read(inner)).toMatchObject({ status: 200, handle });
});

test('an inner shape stays that a client reads by a handle which it has from elsewhere', async () => {
  const { handle: dependant } = await read(outer);
  const handles = Array.from(service.runtime.printTree().matchAll(/consumers\/(\d+-\d+)#/g), ([, handle = '']) => handle);
  const [handle = ''] = handles.filter((other) => other !== dependant);
  const readOn = () => readShape(service.shapeUrl, { ...inner, handle, offset: '0_inf' });
  const first = await readOn();
  await remove(outer);

  await untilRemains({ processes: 1, stored: 1, published: ['parents'] });
  expect([first, await readOn()]).toMatchObject([{ status: 200, handle }, { status: 200, handle }]);
});

test('a restart does not make an inner shape one that was asked for', async () => {
  await read(outer);
  await untilStored(service);
  await service.stop();
  service = await start();
  await remove(outer);

  await untilRemains(NOTHING);
});

test('many outer shapes over one inner one, made and deleted, leave nothing', async () => {
  const shapes = Array.from({ length: OUTER_COUNT }, (_, id) => ({ ...outer, where: `${outer.where} AND id > ${id}` }));
  await Promise.all(shapes.map(read));
  await untilRemains({ processes: OUTER_COUNT + 2, stored: OUTER_COUNT + 1, published: ['children', 'parents'] });
  await Promise.all(shapes.map(remove));

  await untilRemains(NOTHING);
});
