/** What an operator reads, at the level of warnings, when stored bytes do not hold. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { readShape } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const PARAMS = { table: 'items', offset: '-1' };
let database: TestDatabase;
let directory: string;

beforeEach(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  await database.query("INSERT INTO items VALUES (1, 'kept')");
  directory = temporaryDirectory();
});

afterEach(async () => {
  removeDirectory(directory);
  await database.drop();
});

function start(): Promise<ServiceProcess> {
  return startServiceProcess({ databaseUrl: database.url, storageDirectory: directory, environment: { ARMATURE_LOG_LEVEL: 'warn' } });
}

function warningsOf(service: ServiceProcess): unknown[] {
  return service.output().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
}

/** Flips a bit of the file whose name ends so, `back` bytes before its end. */
function damage(ending: string, back: number): void {
  const name = readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((each) => each.endsWith(ending)) ?? '';
  const bytes = readFileSync(join(directory, name));
  const at = bytes.length - back;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(directory, name), bytes);
}

test('a log that was damaged while the service was away is told as that, and the slot as its own', async () => {
  const before = await start();
  await readShape(before.shapeUrl, PARAMS);
  await before.stop();
  damage('.log', 20);
  const after = await start();
  const { status } = await readShape(after.shapeUrl, PARAMS);
  await after.stop();

  expect({ status, told: warningsOf(after) }).toMatchObject({
    status: 200,
    told: [
      { msg: expect.stringMatching(/^The transaction log is corrupt at \d+: .* All stored shapes were dropped and a new log was begun\./) },
      {
        msg: 'replication.connected',
        standing: 'lost',
        why: expect.stringMatching(/^the transaction log of this storage was damaged and begun anew: .*, which is this storage's own, /),
      },
    ],
  });
});

test('a shape that was damaged is told with its handle, its table and what did not hold', async () => {
  const before = await start();
  const { handle } = await readShape(before.shapeUrl, PARAMS);
  await before.stop();
  damage('.pack', 20);
  const service = await start();
  await readShape(service.shapeUrl, PARAMS).catch(() => {}); // It may be broken off.
  await expect.poll(service.output).toContain('shape.damaged');
  await service.stop();

  expect(warningsOf(service)).toMatchObject([
    {
      msg: 'shape.damaged',
      handle,
      table: 'public.items',
      why: expect.stringMatching(new RegExp(`^the log of shape ${handle} is corrupt: .*\\.pack`)),
    },
  ]);
});
