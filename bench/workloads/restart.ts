/** A service that comes back to thousands of shapes, stopped in good order. */
import { systemClock } from '../../src/base/clock.ts';
import { invariant } from '../../src/base/invariant.ts';
import { pause } from '../../src/base/pause.ts';
import { healthOf, untilActive, type ServiceProcess } from '../../test/support/service/service-process.ts';
import { createShapes } from '../clients/create-shapes.ts';
import { usageOf } from '../process-usage.ts';
import { max, type Round, type Workload } from '../suite/workload.ts';
import { timed } from '../timing.ts';

const TABLE = 'kept_rows';
const ASK_EVERY_MS = 5;
const PATIENCE_MS = 600_000;

export const restart: Workload = {
  name: 'restart',
  sentence: 'from the start of node until a stored shape is served, until all of them are followed; and a stop in good order',
  size: 10_000,
  unit: 'shapes owner = N',
  targets: { 'first one served': max(700), 'all followed': max(1_500), stop: max(700) },
  async *measure(world, shapes) {
    const { database } = world;
    await database.query(`CREATE TABLE ${TABLE} (id int PRIMARY KEY, owner int NOT NULL, body text NOT NULL)`);
    await database.query(`INSERT INTO ${TABLE} SELECT i, i, 'body of ' || i FROM generate_series(0, ${shapes - 1}) i`);
    await database.query(`CREATE INDEX ON ${TABLE} (owner)`);
    const start = world.restartable();
    const definitions = Array.from({ length: shapes }, (_, owner) => ({ table: TABLE, where: `owner = ${owner}` }));
    const first = await start();
    await untilActive(first);
    const handles = await createShapes(first.url, definitions);
    await first.stop();
    const nth = Math.floor(shapes / 2);
    const query = new URLSearchParams({ ...definitions[nth], offset: '-1', handle: handles[nth] ?? '' }).toString();
    for (;;) yield await roundOf(start, { query, text: `"body":"body of ${nth}"` });
  },
};

interface Stored {
  /** Of one in the middle, with its handle. */
  readonly query: string;
  readonly text: string;
}

async function roundOf(start: () => Promise<ServiceProcess>, stored: Stored): Promise<Round> {
  const startedMs = systemClock.nowMs();
  const service = await start();
  await until(async () => (await bodyOf(service, stored.query)) !== undefined, service);
  const servedMs = systemClock.nowMs() - startedMs;
  await until(async () => (await healthOf(service)) === 'active', service);
  const followedMs = systemClock.nowMs() - startedMs;
  const { cpuMicros, residentBytes = 0 } = usageOf(service.child.pid ?? 0);
  const body = await bodyOf(service, stored.query);
  invariant(body?.includes(stored.text) === true, `a stored shape has its row: ${body}`);
  const stopMs = await timed(() => service.stop());
  return [
    { what: 'first one served', unit: 'ms', measured: servedMs },
    { what: 'all followed', unit: 'ms', measured: followedMs },
    { what: 'CPU until then', unit: 'ms', measured: cpuMicros / 1000 },
    { what: 'resident then', unit: 'MiB', measured: residentBytes / 1024 ** 2 },
    { what: 'stop', unit: 'ms', measured: stopMs },
  ];
}

/** Undefined while it is not served; a fresh shape instead of the stored one would not have its handle. */
async function bodyOf({ shapeUrl }: ServiceProcess, query: string): Promise<string | undefined> {
  const response = await fetch(`${shapeUrl}?${query}`, { redirect: 'error' }).catch(() => undefined);
  const body = await response?.text();
  invariant(response === undefined || response.status !== 409, `a stored shape comes back: ${body}`);
  return response?.status === 200 ? body : undefined;
}

async function until(isSo: () => Promise<boolean>, { child, output }: ServiceProcess): Promise<void> {
  const deadlineMs = systemClock.nowMs() + PATIENCE_MS;
  while (!(await isSo())) {
    invariant(systemClock.nowMs() < deadlineMs && child.exitCode === null, `the service goes on; it printed:\n${output().slice(-2000)}`);
    await pause(systemClock, ASK_EVERY_MS);
  }
}
