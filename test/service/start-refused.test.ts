/** Whatever keeps the service from starting: one clear message that says what to do, an exit code, no stack trace. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { freePort, spawnService } from '../support/service/service-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-refused-'));
let database: TestDatabase;
let taken: Server;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`CREATE ROLE reader_${database.name} LOGIN PASSWORD 'secret-word'`);
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
});

afterAll(async () => {
  taken.close();
  await database.query(`DROP ROLE reader_${database.name}`);
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

async function startAndFail(options: {
  databaseUrl?: string;
  storageDirectory?: string;
  port?: number;
  environment?: Record<string, string>;
}) {
  const service = await spawnService({
    databaseUrl: database.url,
    storageDirectory: join(directory, 'storage'),
    ...options,
  });
  if (service.child.exitCode === null) await once(service.child, 'exit');
  const output = service.output();
  return {
    failed: service.child.exitCode !== 0,
    hasStack: /(^|\\n|\n)\s+at /.test(output),
    tellsSecret: output.includes('secret-word'),
    output,
  };
}

const asRole = (): string => {
  const url = new URL(database.url);
  url.username = `reader_${database.name}`;
  url.password = 'secret-word';
  return url.href;
};
const closed = async (): Promise<string> => `postgresql://someone:secret-word@127.0.0.1:${await freePort()}/nowhere`;
const blocked = (): string => {
  writeFileSync(join(directory, 'file'), '');
  return join(directory, 'file', 'storage');
};

test.each([
  { why: 'the role may not replicate', says: /REPLICATION/, options: async () => ({ databaseUrl: asRole() }) },
  { why: 'nobody listens at the host', says: /reach|connect/i, options: async () => ({ databaseUrl: await closed() }) },
  {
    why: 'the URL is none',
    says: /DATABASE_URL|database-url/i,
    options: async () => ({ databaseUrl: 'mysql://root:secret-word@localhost/x' }),
  },
  { why: 'the port is taken', says: /port/i, options: async () => ({ port: (taken.address() as AddressInfo).port }) },
  { why: 'the storage directory cannot be written', says: /storage/i, options: async () => ({ storageDirectory: blocked() }) },
  {
    why: 'neither the storage nor the database can be used, which says the first',
    says: /^(?!.*(?:reach|connect)).*storage/is,
    options: async () => ({ storageDirectory: blocked(), databaseUrl: await closed() }),
  },
  { why: 'neither secret nor insecure is set', says: /secret/i, options: async () => ({ environment: { ARMATURE_INSECURE: 'false' } }) },
  { why: 'a setting is unknown', says: /ARMATURE_PROT/, options: async () => ({ environment: { ARMATURE_PROT: '3000' } }) },
])('refuses to start when $why', async ({ says, options }) => {
  expect(await startAndFail(await options())).toEqual({
    failed: true,
    hasStack: false,
    tellsSecret: false,
    output: expect.stringMatching(says),
  });
});
