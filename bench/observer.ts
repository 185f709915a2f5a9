/**
 * What it costs to be looked at: the same backlog through the service by itself, with the observer and nobody looking, with somebody
 * who looks at all there is, and with metrics that are scraped once a second (and no observer).
 *
 * The four take turns on one machine. In four rounds each comes in each place once, and behind each other one once: so what a run leaves
 * behind (a larger catalogue, warm caches, a slower disk) is the burden of all alike. What counts is the processor time of the service,
 * and next to it how fast a client had all rows, as a ratio to the floor of the same run.
 *
 *   npm run bench:observer                              the sizes that are reported
 *   npm run bench:observer -- --changes 5000 --runs 4   a short share
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { freePort } from '../test/support/service/service-process.ts';
import { openDatabase, type Database } from './database.ts';
import { positive } from './options.ts';
import { printRow, printTitle, type Measurement } from './report.ts';
import { startService, type Service } from './service.ts';
import { ingested } from './workloads/ingestion.ts';

const KINDS = ['without', 'detached', 'attached', 'metrics'] as const;
/** A Williams square: each in each place, and behind each other one, once. */
const ORDERS: readonly (readonly Kind[])[] = [
  ['without', 'detached', 'metrics', 'attached'],
  ['detached', 'attached', 'without', 'metrics'],
  ['attached', 'metrics', 'detached', 'without'],
  ['metrics', 'without', 'attached', 'detached'],
];
const TABLE = 'changed_rows';
const SCRAPE_EVERY_MS = 1_000;
const TOPICS = ['tree', 'deaths', 'plots', 'process:@shape-log-collector', 'population:consumer'];
const HOST = { ARMATURE_HOST: '127.0.0.1' };

type Kind = (typeof KINDS)[number];

const { values } = parseArgs({
  options: {
    changes: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '8' },
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

interface Spent {
  readonly cpuMicrosPerRow: number;
  readonly timesFloor: number;
}

async function measure(database: Database, transactionRows: number): Promise<void> {
  printTitle(`Ingestion of ${changes} rows, ${transactionRows} per transaction`);
  const spent: Record<Kind, Spent[]> = { without: [], detached: [], attached: [], metrics: [] };
  for (let round = 0; round < positive(values.runs, 'runs'); round += 1) {
    for (const kind of ORDERS[round % ORDERS.length] ?? KINDS) {
      const measured = await once(database, kind, transactionRows);
      printRow(measured);
      spent[kind].push({ cpuMicrosPerRow: (measured.cpuMicros ?? 0) / measured.rows, timesFloor: measured.timesFloor ?? 0 });
    }
  }
  for (const kind of KINDS) printSpent(kind, spent[kind], spent.without);
}

function printSpent(kind: Kind, spent: readonly Spent[], without: readonly Spent[]): void {
  const cpu = (runs: readonly Spent[]): number => median(runs.map(({ cpuMicrosPerRow }) => cpuMicrosPerRow));
  const time = (runs: readonly Spent[]): number => median(runs.map(({ timesFloor }) => timesFloor));
  const ratios = `${(cpu(spent) / cpu(without)).toFixed(3)} × without; in time ${(time(spent) / time(without)).toFixed(3)} ×`;
  process.stdout.write(`  ${kind.padEnd(44)}${cpu(spent).toFixed(2)} CPU µs/row, ${ratios}\n`);
}

async function once(database: Database, kind: Kind, transactionRows: number): Promise<Measurement> {
  const storage = mkdtempSync(join(directory, 'storage-'));
  const metricsPort = kind === 'metrics' ? await freePort() : undefined;
  const service = await startService(postgres.url, storage, environmentOf(kind, metricsPort));
  const looking = kind === 'attached' ? await look(service) : metricsPort && scrape(metricsPort);
  try {
    const { elapsedMs, cpuMicros, limitMs } = await ingested(database, service, { table: TABLE, rows: changes, transactionRows });
    return { what: kind, rows: changes, elapsedMs, cpuMicros, timesFloor: elapsedMs / limitMs };
  } finally {
    if (looking) looking.abort();
    await service.stop();
    await database.query(`DROP TABLE ${TABLE}`);
  }
}

function environmentOf(kind: Kind, metricsPort: number | undefined): Readonly<Record<string, string>> {
  const observer = { ARMATURE_OBSERVER: String(kind === 'detached' || kind === 'attached') };
  const metrics = metricsPort === undefined ? {} : { ARMATURE_PROMETHEUS_PORT: String(metricsPort) };
  return { ...HOST, ...observer, ...metrics, CLEANUP_REPLICATION_SLOTS_ON_SHUTDOWN: 'true' };
}

/** As Prometheus does. A service that is held still answers when it goes on, so each run has one scrape at the least. */
function scrape(port: number): AbortController {
  const leaving = new AbortController();
  const again = async (): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: leaving.signal });
    await response.text();
    if (!leaving.signal.aborted) systemClock.setTimer(() => void again().catch(() => {}), SCRAPE_EVERY_MS); // It ends when we leave.
  };
  again().catch(() => {});
  return leaving;
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
