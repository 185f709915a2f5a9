/**
 * Memory of what waits, as the marginal cost of one more: a process with half of them is held against the same one with all, so that what
 * the first of them brings with it is not counted.
 */
import { invariant } from '../../src/base/invariant.ts';
import { freePort } from '../../test/support/service/service-process.ts';
import { scrape } from '../../test/support/service/scraped-metrics.ts';
import { createShapes } from '../clients/create-shapes.ts';
import { Crowd, type WayToWait } from '../clients/crowd.ts';
import type { Service } from '../service.ts';
import { memoryReadings, RESIDENT, settledMemory } from '../settled-memory.ts';
import { ShapeReader } from '../shape-reader.ts';
import { max, type Round, type Workload } from '../suite/workload.ts';
import type { World } from '../suite/world.ts';
import { pause } from '../timing.ts';

export const memoryIdleShape: Workload = {
  name: 'memory-idle-shape',
  sentence: 'resident memory of one more shape owner = N that nobody reads and nothing touches',
  size: 10_000,
  sizeMin: 2,
  unit: 'shapes, and half of them',
  targets: { [RESIDENT]: max(4) },
  async *measure(world, size) {
    const metricsPort = String(await freePort());
    const environment = { ARMATURE_SHAPE_DORMANT_AFTER: DORMANT_AFTER, ARMATURE_PROMETHEUS_PORT: metricsPort };
    const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
    yield* measure(world, size, (url, table) => idleShapes(url, table, metricsUrl), environment);
  },
};

/** Long enough for a snapshot to be whole; how long it is makes no difference to what is left. */
const DORMANT_AFTER = '1s';
const LOOK_EVERY_MS = 200;

export const memoryLongPoll = memoryOfClients('long-poll', 5);
export const memorySse = memoryOfClients('sse', 8);

function memoryOfClients(way: WayToWait, kilobytesMax: number): Workload {
  return {
    name: `memory-${way}`,
    sentence: `resident memory of one more client that waits by ${way}, all for the same shape`,
    size: 5_000,
    sizeMin: 2,
    unit: 'clients, and half of them',
    targets: { [RESIDENT]: max(kilobytesMax) },
    measure: (world, size) => measure(world, size, (url, table) => waitingClients(url, table, way)),
  };
}

/** What can become more. */
interface Many {
  grow(count: number): Promise<void>;
  close(): void;
}

type ManyOf = (url: string, table: string) => Promise<Many>;

async function* measure(world: World, count: number, manyOf: ManyOf, environment = {}): AsyncGenerator<Round, void, void> {
  const table = 'idle_rows';
  await world.database.query(`CREATE TABLE IF NOT EXISTS ${table} (id int PRIMARY KEY, owner int NOT NULL, body text NOT NULL)`);
  for (;;) yield await world.withService((service) => roundOf(service, count, () => manyOf(service.url, table)), environment);
}

async function roundOf(service: Service, count: number, begin: () => Promise<Many>): Promise<Round> {
  const inspector = await service.inspect();
  const many = await begin();
  const half = Math.floor(count / 2);
  try {
    await many.grow(half);
    const before = await settledMemory(service, inspector, count);
    await many.grow(count - half);
    return memoryReadings(before, await settledMemory(service, inspector, count), count - half);
  } finally {
    many.close();
    inspector.close();
  }
}

async function idleShapes(url: string, table: string, metricsUrl: string): Promise<Many> {
  let made = 0;
  return Promise.resolve({
    grow: async (count: number) => {
      const definitions = Array.from({ length: count }, (_, index) => ({ table, where: `owner = ${made + index}` }));
      made += count;
      const handles = new Set(await createShapes(url, definitions));
      invariant(handles.size === count, 'each of them is another shape');
      await untilDormant(metricsUrl, made);
    },
    close: () => {},
  });
}

async function untilDormant(metricsUrl: string, count: number): Promise<void> {
  while ((await scrape(metricsUrl)).get('armature_shapes{life="dormant"}') !== count) await pause(LOOK_EVERY_MS);
}

async function waitingClients(url: string, table: string, way: WayToWait): Promise<Many> {
  const reader = new ShapeReader(url, { table });
  await reader.readToEnd();
  reader.close();
  return new Crowd(reader.place, way);
}
