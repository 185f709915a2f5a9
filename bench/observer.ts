/**
 * What the observer costs: the same backlog through the service without it, with it and nobody looking, and with somebody who
 * looks at all there is. The three take turns on one machine, and what counts is the processor time of the service.
 *
 *   npm run bench:observer                              the sizes that are reported
 *   npm run bench:observer -- --changes 5000 --runs 2   a short share
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { openDatabase, type Database } from './database.ts';
import { ingestion } from './ingestion.ts';
import { positive } from './options.ts';
import { printRow, printTitle, type Measurement } from './report.ts';
import { startService, type Service } from './service.ts';

const KINDS = ['without', 'detached', 'attached'] as const;
const TOPICS = ['tree', 'deaths', 'plots', 'process:@shape-log-collector', 'population:consumer'];
const HOST = { ARMATURE_HOST: '127.0.0.1' };

type Kind = (typeof KINDS)[number];

const { values } = parseArgs({
  options: {
    changes: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '5' },
    transactions: { type: 'string', default: '1,100' },
  },
});
const changes = positive(values.changes, 'changes');
const directory = mkdtempSync(join(tmpdir(), 'armature-bench-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { wal_sender_timeout: '0' } });
try {
  const database = await openDatabase(postgres.url);
  for (const size of values.transactions.split(',')) await measure(database, positive(size, 'transactions'));
  await database.close();
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

/** In each round another one begins. */
async function measure(database: Database, transactionRows: number): Promise<void> {
  printTitle(`Ingestion of ${changes} rows, ${transactionRows} per transaction`);
  const spent: Record<Kind, number[]> = { without: [], detached: [], attached: [] };
  for (let round = 0; round < positive(values.runs, 'runs'); round += 1) {
    for (let turn = 0; turn < KINDS.length; turn += 1) {
      const kind = KINDS[(round + turn) % KINDS.length] ?? 'without';
      const measured = await once(database, kind, transactionRows);
      printRow({ ...measured, what: kind });
      spent[kind].push((measured.cpuMicros ?? 0) / measured.rows);
    }
  }
  for (const kind of KINDS) {
    const ratio = median(spent[kind]) / median(spent.without);
    process.stdout.write(`  ${kind.padEnd(44)}${median(spent[kind]).toFixed(2)} CPU µs/row, ${ratio.toFixed(3)} × without\n`);
  }
}

async function once(database: Database, kind: Kind, transactionRows: number): Promise<Measurement> {
  const storage = mkdtempSync(join(directory, 'storage-'));
  const environment = { ...HOST, ARMATURE_OBSERVER: String(kind !== 'without'), CLEANUP_REPLICATION_SLOTS_ON_SHUTDOWN: 'true' };
  const service = await startService(postgres.url, storage, environment);
  const looking = kind === 'attached' ? await look(service) : undefined;
  try {
    const [, measured] = await ingestion(database, service, changes, transactionRows);
    if (measured === undefined) throw new RangeError('an ingestion measures the floor and the service');
    return measured;
  } finally {
    looking?.abort();
    await service.stop();
    await database.query(`DROP TABLE changes_by_${transactionRows}`);
  }
}

/** A page that is open: a stream whose events somebody reads. */
async function look({ url }: Service): Promise<AbortController> {
  const leaving = new AbortController();
  const query = TOPICS.map((topic) => `topic=${encodeURIComponent(topic)}`).join('&');
  const { body, status } = await fetch(`${url}/_observer/events?${query}`, { signal: leaving.signal });
  if (body === null || status !== 200) throw new RangeError(`the stream gives ${status}`);
  body.pipeTo(new WritableStream()).catch(() => {}); // It ends when we leave.
  return leaving;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
