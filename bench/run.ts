/**
 * The service against the floor of the world, in one run: what Postgres alone can give is measured beside it, on the
 * same machine and the same rows, because rates move with the machine and ratios much less.
 *
 *   npm run bench                                  the sizes that are reported
 *   npm run bench -- --rows 10000 --changes 2000   a short share
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { coldSnapshot } from './cold-snapshot.ts';
import { openDatabase } from './database.ts';
import { ingestion } from './ingestion.ts';
import { benchOptions } from './options.ts';
import { printRow, printTitle } from './report.ts';
import { startService } from './service.ts';

const SERVER_SETTINGS = {
  shared_buffers: '256MB',
  max_wal_size: '8GB',
  autovacuum: 'off',
  wal_sender_timeout: '0', // The service is held still while a backlog is written.
};

const options = benchOptions(process.argv.slice(2));
const directory = mkdtempSync(join(tmpdir(), 'armature-bench-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: SERVER_SETTINGS });
try {
  const database = await openDatabase(postgres.url);
  const service = await startService(postgres.url, join(directory, 'storage'));
  try {
    printTitle(`Cold snapshot of ${options.rows} rows (int key, 100 bytes of text, int)`);
    for (const row of await coldSnapshot(database, service, options.rows)) printRow(row);
    for (const transactionRows of options.transactionRows) {
      printTitle(`Ingestion of ${options.changes} rows, ${transactionRows} per transaction`);
      for (const row of await ingestion(database, service, options.changes, transactionRows)) printRow(row);
    }
  } finally {
    await service.stop();
    await database.close();
  }
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
