/**
 * Shapes that depend on shapes, beside the equivalent SELECT in the same run: how soon a live client has what a parent brings or
 * takes, what many dependants of one inner shape cost, what ten thousand pairs of an outer and an inner shape cost, and what millions of
 * values do.
 *
 *   npm run bench:dependent                    the sizes that are reported
 *   npm run bench:dependent -- --scale 0.1     a share of them
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { invariant } from '../src/base/invariant.ts';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { freePort } from '../test/support/service/service-process.ts';
import { openDatabase, type Database } from './database.ts';
import { layers } from './dependent/layers.ts';
import { manyValues } from './dependent/many-values.ts';
import { movingParents } from './dependent/moving-parents.ts';
import { ownInner } from './dependent/own-inner.ts';
import { printRow, type Row } from './dependent/report.ts';
import { sharedInner } from './dependent/shared-inner.ts';
import { inspectProcess, type ProcessInspector } from './process-inspector.ts';
import { printTitle } from './report.ts';
import { startService, type Service } from './service.ts';

interface World {
  readonly database: Database;
  readonly service: Service;
  readonly inspector: ProcessInspector;
}

const SERVER_SETTINGS = {
  shared_buffers: '256MB',
  max_wal_size: '8GB',
  autovacuum: 'off',
  wal_sender_timeout: '0', // The service is held still while a backlog is written.
};

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, settle: { type: 'string', default: '3000' } },
});
/** Before memory is measured. */
const settleMs = Number(values.settle);
const scale = Number(values.scale);
invariant(scale > 0 && scale <= 1, '--scale takes a share, up to 1');
/** At least two: what is compared with one must be more. */
const scaled = (size: number): number => Math.max(2, Math.round(size * scale));

await measured('Parents with ten children each: COMMIT to the response of a live request', ({ database, service }) =>
  movingParents(database, service, { tries: scaled(60), together: scaled(1_000), rounds: scaled(10) }));
await measured('Subqueries within subqueries: COMMIT at the innermost to the response of a live request at the outermost', (world) =>
  layers(world.database, world.service, { leaves: scaled(1_000), tries: scaled(30) }));
await measured('Outer shapes over one inner shape', ({ database, service }) => sharedInner(database, service, scaled(1_000)));
await measured('Pairs of an outer and an inner shape', (world) =>
  ownInner(world, { pairs: scaled(10_000), commits: scaled(5_000), settleMs }));

await measured('A subquery that selects very many values', (world) => manyValues(world, { values: scaled(2_000_000), settleMs }));

/** Each has a Postgres and a service to itself, so that none pays for the shapes of another. */
async function measured(title: string, measure: (world: World) => Promise<readonly Row[]>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-dependent-'));
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: SERVER_SETTINGS });
  try {
    printTitle(`${title} (load ${loadavg()[0]?.toFixed(1)})`);
    for (const row of await withService(postgres.url, join(directory, 'storage'), measure)) printRow(row);
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function withService<Result>(url: string, storageDirectory: string, use: (world: World) => Promise<Result>): Promise<Result> {
  const database = await openDatabase(url);
  const inspectorPort = await freePort();
  const service = await startService(url, storageDirectory, { NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}` });
  const inspector = await inspectProcess(inspectorPort);
  try {
    return await use({ database, service, inspector });
  } finally {
    inspector.close();
    await service.stop();
    await database.close();
  }
}
