/** secure-mode: with a secret, only health and the preflight are for everybody. Otherwise than there, a wrong secret is told in words. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';

const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-secure-'));
let database: TestDatabase;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
  const environment = { ARMATURE_INSECURE: '', ELECTRIC_SECRET: 'A-secret-of-the-test' };
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, environment });
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

const SHAPE = '/v1/shape?table=items&offset=-1';

test.each([
  ['health', 'GET', '/v1/health', 200],
  ['a preflight', 'OPTIONS', '/v1/shape', 204],
  ['a shape without the secret', 'GET', SHAPE, 401],
  ['a shape with a wrong one', 'GET', `${SHAPE}&secret=another`, 401],
  ['a shape with an empty one', 'GET', `${SHAPE}&secret=`, 401],
  ['a shape with the right one', 'GET', `${SHAPE}&secret=A-secret-of-the-test`, 200],
  ['a shape with the right one under its older name', 'GET', `${SHAPE}&api_secret=A-secret-of-the-test`, 200],
  ['a deletion without it', 'DELETE', '/v1/shape?table=items', 401],
])('secure-mode: %s, by %s %s, is answered with %i', async (_, method, path, status) => {
  const response = await fetch(`${service.url}${path}`, { method });
  await response.body?.cancel();

  expect(response.status).toBe(status);
});

test('secure-mode: nothing that is printed has the secret in it', () => {
  expect([service.output().includes('listens'), service.output().includes('A-secret-of-the-test')]).toEqual([true, false]);
});
