/** An instance that stands by says so for as long as it does; one that cannot take over ends, and says why, whoever waits for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess } from '../support/service/service.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-take-over-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
});

afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

test('a standby whose storage another version has taken meanwhile ends with that, and keeps nobody waiting', async () => {
  const options = { databaseUrl: database.url, flags: { 'storage-dir': directory } };
  const first = await startServiceInProcess(options);
  await (await fetch(`${first.shapeUrl}?table=items&offset=-1`)).text();
  const second = await startServiceInProcess({ ...options, mayWait: true });
  await expect.poll(() => second.status().level).toBe('waiting');
  const asking = fetch(`${second.shapeUrl}?table=items&offset=-1`).then(({ status }) => status, () => 'refused');

  writeFileSync(join(directory, 'format'), '9\n');
  await first.stop();

  expect([await second.ended, [200, 503, 'refused'].includes(await asking)]).toEqual([expect.stringContaining('has format 9'), true]);
  await Promise.all([first.remove(), second.remove()]);
});

test('a standby whose status monitor starts anew still waits, and serves what is stored', async () => {
  const options = { databaseUrl: database.url, flags: { 'storage-dir': join(directory, 'watched') } };
  const first = await startServiceInProcess(options);
  await (await fetch(`${first.shapeUrl}?table=items&offset=-1`)).text();
  const second = await startServiceInProcess({ ...options, mayWait: true });
  await expect.poll(() => second.status()).toMatchObject({ level: 'waiting', isReadable: true });

  const before = second.runtime.whereis('@status-monitor');
  second.runtime.exit('@status-monitor', 'kill');
  await expect.poll(() => second.runtime.whereis('@status-monitor') ?? before).not.toBe(before);

  await expect.poll(() => second.status()).toMatchObject({ level: 'waiting', isReadable: true });
  await second.remove();
  await first.remove();
});
