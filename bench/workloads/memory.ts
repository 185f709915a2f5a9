/**
 * Memory of what waits, as the marginal cost of one more: a process with half of them is held against the same one with all, so that what
 * the first of them brings with it is not counted.
 */
import { invariant } from '../../src/base/invariant.ts';
import { createShapes } from '../clients/create-shapes.ts';
import { Crowd, type WayToWait } from '../clients/crowd.ts';
import { inspectedService } from '../inspected-service.ts';
import type { ProcessInspector, ProcessMemory } from '../process-inspector.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { max, type Round, type Workload } from '../suite/workload.ts';
import type { World } from '../suite/world.ts';
import { comeToRest, pause } from '../timing.ts';

const RESIDENT = 'resident, each';
/** So long what has come about is left alone before it is measured, for each of them: a checkpoint is taken meanwhile. */
const [SETTLE_MS_EACH, SETTLE_MS_MAX] = [1, 15_000];

export const memoryIdleShape: Workload = {
  name: 'memory-idle-shape',
  sentence: 'resident memory of one more shape owner = N that nobody reads and nothing touches',
  size: 10_000,
  sizeMin: 2,
  unit: 'shapes, and half of them',
  targets: { [RESIDENT]: max(4) },
  measure: (world, size) => measure(world, size, idleShapes),
};

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

async function* measure(world: World, count: number, manyOf: ManyOf): AsyncGenerator<Round, void, void> {
  const table = 'idle_rows';
  await world.database.query(`CREATE TABLE IF NOT EXISTS ${table} (id int PRIMARY KEY, owner int NOT NULL, body text NOT NULL)`);
  for (;;) {
    const { service, inspector } = await inspectedService(world);
    const many = await manyOf(service.url, table);
    const half = Math.floor(count / 2);
    try {
      await many.grow(half);
      const before = await settled(service, inspector, count);
      await many.grow(count - half);
      yield readingsOf(before, await settled(service, inspector, count), count - half);
    } finally {
      many.close();
      inspector.close();
      await service.stop();
    }
  }
}

async function idleShapes(url: string, table: string): Promise<Many> {
  let made = 0;
  return Promise.resolve({
    grow: async (count: number) => {
      const definitions = Array.from({ length: count }, (_, index) => ({ table, where: `owner = ${made + index}` }));
      made += count;
      const handles = new Set(await createShapes(url, definitions));
      invariant(handles.size === count, 'each of them is another shape');
    },
    close: () => {},
  });
}

async function waitingClients(url: string, table: string, way: WayToWait): Promise<Many> {
  const reader = new ShapeReader(url, { table });
  await reader.readToEnd();
  reader.close();
  return new Crowd(reader.place, way);
}

/** Behind a collection: what is garbage by then is nobody's. */
async function settled(service: Service, inspector: ProcessInspector, count: number): Promise<ProcessMemory> {
  await comeToRest(service);
  await pause(Math.min(SETTLE_MS_MAX, SETTLE_MS_EACH * count));
  for (let times = 0; times < 3; times += 1) await inspector.collectGarbage();
  return await inspector.memory();
}

function readingsOf(before: ProcessMemory, after: ProcessMemory, count: number): Round {
  const each = (of: keyof ProcessMemory): number => (after[of] - before[of]) / count / 1000;
  return [
    { what: RESIDENT, unit: 'kB', measured: each('residentBytes') },
    { what: 'in the heap, each', unit: 'kB', measured: each('heapBytes') },
    { what: 'in array buffers, each', unit: 'kB', measured: each('arrayBufferBytes') },
  ];
}
