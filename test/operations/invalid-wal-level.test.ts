/** A server that writes too little into its WAL: whoever starts the service is told which setting that is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { refusedStart } from '../support/operations/refused-start.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-wal-level-'));
let server: EmbeddedPostgres;

beforeAll(async () => {
  server = await startEmbeddedPostgres({ directory: join(directory, 'cluster'), settings: { wal_level: 'replica', fsync: 'off' } });
});

afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('invalid-wal-level: refuses to start, and says which setting is to be what', async () => {
  const { exitCode, output } = await refusedStart({ databaseUrl: server.url, storageDirectory: join(directory, 'storage') });

  const said = output.split('\n').filter((line) => line.startsWith('armature: '));
  expect({ exitCode, said }).toEqual({
    exitCode: 1,
    said: ["armature: The server's wal_level is replica. Run ALTER SYSTEM SET wal_level = 'logical' and restart Postgres."],
  });
});
