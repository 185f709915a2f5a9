/** SIGUSR2 to the built program: it says what it is doing, and goes on. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/http/http-world.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { healthOf, startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

let database: TestDatabase;
let service: ServiceProcess;
const storage = temporaryDirectory();

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');

  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory: storage });
});

afterAll(async () => {
  await service.stop();
  removeDirectory(storage);
  await database.drop();
});

test('prints the tree, the mailboxes and the deaths, and is active as before', async () => {
  const { handle } = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();

  service.child.kill('SIGUSR2');
  await until(() => service.output().includes('\ndeaths: '));

  const text = service.output().slice(service.output().indexOf('Armature '));
  expect({ text, health: await healthOf(service) }).toEqual({
    text: expect.stringMatching(
      new RegExp(
        'Armature [0-9.]+, active, [^\\n]+\\nmemory: [^\\n]+\\nevent loop: [0-9.]+ ms late\\n\\n' +
          'stack#\\d+: running, \\d+ handled\\n├─ journal#' +
          `[^]*[├└]─ ${handle}#\\d+: [^]*longest mailboxes:[^]*deaths: none since the start\\n`,
      ),
    ),
    health: 'active',
  });
});
