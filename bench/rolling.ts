/**
 * Rolling restarts under load: live clients of `@electric-sql/client` follow shapes through a front, rows are written all the time, and
 * again and again a second instance is started on the storage of the first, which is stopped as soon as the second one waits. No client may
 * hear of an error, and at the end each must hold what SELECT says.
 *
 * How long a row takes from its commit to its reader is told apart for the time of a hand-over (from the signal until the second instance
 * is active, and a second more) and for the time between two.
 *
 *   npm run bench:rolling                                                  200 clients of 20 shapes, ten restarts
 *   npm run bench:rolling -- --clients 10 --shapes 2 --restarts 1          a short share
 */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ShapeStream, type ChangeMessage, type Row } from '@electric-sql/client';
import { systemClock } from '../src/base/clock.ts';
import { pause } from '../src/base/pause.ts';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { openFront } from '../test/support/operations/deploy-front.ts';
import { healthOf, spawnService, untilActive, type ServiceProcess } from '../test/support/service/service-process.ts';
import { openDatabase } from './database.ts';
import { until } from './stored-shapes.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '200' },
    shapes: { type: 'string', default: '20' },
    restarts: { type: 'string', default: '10' },
    pause: { type: 'string', default: '50' },
    between: { type: 'string', default: '3000' },
  },
});
const [clientCount, shapeCount, restarts] = [Number(values.clients), Number(values.shapes), Number(values.restarts)];
/** Of the writer, between two transactions; and of the restarts, between one that is over and the next. */
const [writePauseMs, betweenMs] = [Number(values.pause), Number(values.between)];
const AFTER_MS = 1_000;
const SETTLED_WITHIN_MS = 60_000;

/** One who follows a shape, and keeps its rows as it is told of them. */
class Client {
  readonly rows = new Map<string, string>();
  readonly errors: string[] = [];
  readonly delays: { readonly atMs: number; readonly delayMs: number }[] = [];
  refetches = 0;
  isUpToDate = false;

  constructor(url: string, readonly part: number, signal: AbortSignal) {
    const stream = new ShapeStream<Row>({
      url: `${url}/v1/shape`,
      params: { table: 'items', where: `part = ${part}` },
      signal,
      onError: (error) => {
        if (!signal.aborted) this.errors.push(String(error));
      },
    });
    stream.subscribe((messages) => {
      for (const message of messages) {
        if ('key' in message) this.take(message);
        else if (message.headers.control === 'must-refetch') this.forget();
        else if (message.headers.control === 'up-to-date') this.isUpToDate = true;
      }
    });
  }

  private take({ key, value, headers }: ChangeMessage<Row>): void {
    if (headers.operation === 'delete') this.rows.delete(key);
    else this.rows.set(key, String(value['written']));
    const nowMs = systemClock.wallMs();
    if (this.isUpToDate && headers.operation !== 'delete') this.delays.push({ atMs: nowMs, delayMs: nowMs - Number(value['written']) });
  }

  private forget(): void {
    this.refetches += 1;
    this.isUpToDate = false;
    this.rows.clear();
  }
}

/** When the first instance was told to end, and when the second had been active for a moment. */
interface HandOver {
  readonly fromMs: number;
  readonly activeMs: number;
  readonly toMs: number;
}

const directory = mkdtempSync(join(tmpdir(), 'armature-rolling-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off', autovacuum: 'off' } });
const database = await openDatabase(postgres.url);
const front = await openFront();
const leaving = new AbortController();
setMaxListeners(0, leaving.signal);
let service: ServiceProcess | undefined;
try {
  await database.query('CREATE TABLE items (id int PRIMARY KEY, part int NOT NULL, written text NOT NULL)');
  service = await begun();
  const clients = Array.from({ length: clientCount }, (_, index) => new Client(front.url, index % shapeCount, leaving.signal));
  await until(() => Promise.resolve(clients.every(({ isUpToDate }) => isUpToDate)), service);
  const writer = new AbortController();
  const written = write(writer.signal);
  const handOvers: HandOver[] = [];
  for (let restart = 0; restart < restarts; restart += 1) {
    await pause(systemClock, betweenMs);
    handOvers.push(await handOver());
  }
  await pause(systemClock, betweenMs);
  writer.abort();
  await written;
  const lost = await differences(clients);
  tell(clients, handOvers, lost);
  process.exitCode = lost > 0 || clients.some(({ errors }) => errors.length > 0) ? 1 : 0;
} finally {
  leaving.abort();
  await service?.stop();
  await front.close();
  await database.close();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(); // The client has a timer of a minute, which nobody can end.

async function begun(): Promise<ServiceProcess> {
  const first = await spawnService({ databaseUrl: postgres.url, storageDirectory: join(directory, 'storage') });
  await untilActive(first);
  front.lead([portOf(first)]);
  return first;
}

/** As an orchestrator does it: the new one stands ready, so both are led to; then the old one is told to end. */
async function handOver(): Promise<HandOver> {
  const old = service;
  const next = await spawnService({ databaseUrl: postgres.url, storageDirectory: join(directory, 'storage') });
  service = next;
  await until(async () => (await healthOf(next)) === 'waiting', next);
  front.lead([...(old === undefined ? [] : [portOf(old)]), portOf(next)]);
  const fromMs = systemClock.wallMs();
  await old?.stop();
  await untilActive(next);
  const activeMs = systemClock.wallMs();
  front.lead([portOf(next)]);
  await pause(systemClock, AFTER_MS);
  return { fromMs, activeMs, toMs: systemClock.wallMs() };
}

/** One row after the other, in one part after the other: some new, some changed, some deleted. */
async function write(signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const now = String(systemClock.wallMs());
    const part = turn % shapeCount;
    const kept = Math.floor(turn / shapeCount / 2) * shapeCount + part;
    if (turn % 7 === 6) await database.query(`DELETE FROM items WHERE id = ${kept}`);
    else {
      await database.query(
        `INSERT INTO items VALUES (${turn % 3 === 0 ? kept : turn}, ${part}, '${now}')
         ON CONFLICT (id) DO UPDATE SET written = excluded.written`,
      );
    }
    await pause(systemClock, writePauseMs, signal);
  }
}

/** @returns how many clients do not come to hold what the database has. */
async function differences(clients: readonly Client[]): Promise<number> {
  const rows = await database.query('SELECT id, part, written FROM items');
  const keyed = rows.map(({ id, part, written }) => ({ part, row: [`"public"."items"/"${String(id)}"`, String(written)] as const }));
  const expected = (of: number): string => textOf(keyed.filter(({ part }) => part === of).map(({ row }) => row));
  const parts = Array.from({ length: shapeCount }, (_, part) => expected(part));
  const wrong = () => clients.filter(({ rows: held, part }) => textOf([...held]) !== parts[part]).length;
  for (const deadline = AbortSignal.timeout(SETTLED_WITHIN_MS); wrong() > 0 && !deadline.aborted; ) await pause(systemClock, 100);
  return wrong();
}

function textOf(rows: readonly (readonly [string, string])[]): string {
  return [...rows].sort(([left], [right]) => (left < right ? -1 : 1)).join(' ');
}

function tell(clients: readonly Client[], handOvers: readonly HandOver[], lost: number): void {
  const during: number[] = [];
  const between: number[] = [];
  for (const { delays } of clients) {
    for (const { atMs, delayMs } of delays) {
      const isDuring = handOvers.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs);
      (isDuring ? during : between).push(delayMs);
    }
  }
  const errors = clients.flatMap((client) => client.errors);
  const taken = handOvers.map(({ fromMs, activeMs }) => activeMs - fromMs);
  say(`${clientCount} clients of ${shapeCount} shapes, ${handOvers.length} restarts`);
  say(`  from the signal until the next is active    ${shares(taken)}`);
  say(`  commit to reader, during a hand-over         ${shares(during)}`);
  say(`  commit to reader, between two                ${shares(between)}`);
  say(`  clients that heard of an error               ${new Set(clients.filter((client) => client.errors.length > 0)).size}`);
  say(`  clients that do not hold what SELECT says    ${lost}`);
  say(`  shapes fetched anew                          ${clients.reduce((sum, { refetches }) => sum + refetches, 0)}`);
  say(`  connections that nobody took                 ${front.refusals}`);
  for (const error of new Set(errors)) say(`  ${error}`);
}

function shares(figures: readonly number[]): string {
  const sorted = [...figures].sort((left, right) => left - right);
  const at = (share: number): string => `${sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? '-'} ms`;
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} (${sorted.length})`;
}

function portOf({ url }: ServiceProcess): number {
  return Number(new URL(url).port);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
