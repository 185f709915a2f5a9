/** The memory of a service that has come to rest, behind a collection: what is garbage by then is nobody's. */
import type { ProcessInspector, ProcessMemory } from './process-inspector.ts';
import type { Service } from './service.ts';
import type { Round } from './suite/workload.ts';
import { comeToRest, pause } from './timing.ts';

/** So long it is left alone, for each of what it holds: a checkpoint is taken meanwhile. */
const [SETTLE_MS_EACH, SETTLE_MS_MAX] = [1, 15_000];
const COLLECTIONS = 3;

export async function settledMemory(service: Service, inspector: ProcessInspector, count: number): Promise<ProcessMemory> {
  await comeToRest(service);
  await pause(Math.min(SETTLE_MS_MAX, SETTLE_MS_EACH * count));
  for (let times = 0; times < COLLECTIONS; times += 1) await inspector.collectGarbage();
  return await inspector.memory();
}

export const RESIDENT = 'resident, each';

/** @param count how many more of them there are after than before. */
export function memoryReadings(before: ProcessMemory, after: ProcessMemory, count: number): Round {
  const each = (of: keyof ProcessMemory): number => (after[of] - before[of]) / count / 1000;
  return [
    { what: RESIDENT, unit: 'kB', measured: each('residentBytes') },
    { what: 'in the heap, each', unit: 'kB', measured: each('heapBytes') },
    { what: 'in array buffers, each', unit: 'kB', measured: each('arrayBufferBytes') },
  ];
}
