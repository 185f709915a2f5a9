/** An instance that makes room for another one is found where it was, shows nothing that has ended, and works again behind the other. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLine } from '../support/operations/line.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const directory = temporaryDirectory();
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY); INSERT INTO items VALUES (1)');
});

afterAll(async () => {
  await database.drop();
  removeDirectory(directory);
});

const statusOf = (url: string | undefined) => fetch(String(url)).then(({ status }) => status, () => 'refused');

/** What whoever looks finds at the addresses that it told at its start. */
async function foundAt({ url, metricsUrl, observerUrl, inspectionUrl, shapeUrl }: ServiceInProcess, handle: string | null) {
  return {
    health: await (await fetch(`${url}/v1/health`)).json(),
    metrics: await statusOf(metricsUrl),
    observer: await statusOf(observerUrl),
    isNamed: (await (await fetch(String(inspectionUrl))).text()).includes(String(observerUrl)),
    shape: await statusOf(`${shapeUrl}?table=items&offset=0_inf&handle=${handle}`),
  };
}

test('the ports that the system chose are kept, metrics and observer rest meanwhile, and no sign of a candidate stays', async () => {
  const flags = { 'storage-dir': directory, 'database-timeout': '1s' };
  const line = await startLine(database.url);
  const shown = { 'prometheus-port': '0', inspect: true, 'inspect-port': '0' } as const;
  const first = await startServiceInProcess({ databaseUrl: line.url, flags: { ...flags, ...shown } });
  const { handle } = await readShape(first.shapeUrl, { table: 'items', offset: '-1' });
  const leading = await foundAt(first, handle);
  const second = await startServiceInProcess({ databaseUrl: database.url, flags, mayWait: true });
  await expect.poll(() => second.status().level).toBe('waiting');

  line.cut();
  await expect.poll(() => second.status().level).toBe('active');
  await expect.poll(() => first.cause()).toContain('another instance works in the storage');
  await expect.poll(() => first.status().isReadable).toBe(true);
  const beside = await foundAt(first, handle);
  const hasCandidate = existsSync(join(directory, 'candidate'));
  line.mend();
  await second.remove();
  await expect.poll(() => first.status().level).toBe('active');
  const back = await foundAt(first, handle);
  await first.remove();
  await line.close();

  const works = { health: { status: 'active' }, metrics: 200, observer: 200, isNamed: true, shape: 200 };
  expect({ leading, beside, hasCandidate, back }).toMatchObject({
    leading: works,
    beside: { health: { status: 'starting' }, metrics: 503, observer: 404, isNamed: false, shape: 200 },
    hasCandidate: false,
    back: works,
  });
});
