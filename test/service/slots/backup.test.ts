/** What a backup is worth: where the slot stands as it stood, its shapes go on; where the service went on behind it, they start over. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../../support/service/service-process.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';

let root: string;
let database: TestDatabase;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'armature-backup-'));
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
});
beforeEach(() => database.query('TRUNCATE items'));
afterAll(async () => {
  await database.drop();
  rmSync(root, { recursive: true, force: true });
});

interface Run {
  readonly storage: string;
  readonly port: number;
  start(): Promise<ServiceProcess>;
}

async function runOf(name: string): Promise<Run> {
  const [storage, port] = [join(root, name), await freePort()];
  const environment = { ARMATURE_LONG_POLL_TIMEOUT: '500' };
  return { storage, port, start: () => startServiceProcess({ databaseUrl: database.url, storageDirectory: storage, port, environment }) };
}

function backUp({ storage }: Run): string {
  return execFileSync(process.execPath, ['dist/cli.js', 'storage', 'backup', storage, `${storage}.backup`], { encoding: 'utf8' });
}

function putBack({ storage }: Run): void {
  rmSync(storage, { recursive: true });
  renameSync(`${storage}.backup`, storage);
}

async function idsOf(follower: ShapeFollower): Promise<readonly (string | null | undefined)[]> {
  return (await follower.catchUp()).sorted().map(({ id }) => id);
}

test('put back where nothing has happened since, it serves the same shapes, and what came meanwhile follows', async () => {
  const run = await runOf('resting');
  const service = await run.start();
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await database.query('INSERT INTO items VALUES (1)');
  await expect.poll(() => idsOf(follower)).toEqual(['1']);
  await service.stop();
  const told = backUp(run);
  putBack(run);
  await database.query('INSERT INTO items VALUES (2)');

  const restored = await run.start();

  await expect.poll(() => idsOf(follower)).toEqual(['1', '2']);
  await restored.stop();
  expect({ told, refetches: follower.refetches }).toEqual({ told: expect.stringMatching(/holds 1 shape, .+, verified\./), refetches: 0 });
});

test('made while the service runs, and put back behind its slot, its shapes start over, and the log says why', async () => {
  const run = await runOf('running');
  const service = await run.start();
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await database.query('INSERT INTO items VALUES (1)');
  await expect.poll(() => idsOf(follower)).toEqual(['1']);
  const told = backUp(run);
  await database.query('INSERT INTO items VALUES (2)');
  await expect.poll(() => idsOf(follower)).toEqual(['1', '2']);
  await service.stop();
  putBack(run);

  const restored = await run.start();

  await expect.poll(() => idsOf(follower)).toEqual(['1', '2']);
  await restored.stop();
  expect({ told, refetches: follower.refetches, output: restored.output() }).toEqual({
    told: expect.stringContaining('all of them start over'),
    refetches: 1,
    output: expect.stringContaining('moved on without this storage'),
  });
});
