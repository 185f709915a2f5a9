/** A storage that keeps everything in memory and forgets it at the end. */
import { systemClock, type Clock } from '../base/clock.ts';
import { LOG_START } from '../model/log-position.ts';
import type { Handle } from '../model/shape.ts';
import { DiskStanding } from './disk/disk-standing.ts';
import { memoryLog, type MemoryLog } from './log/memory-log.ts';
import { MemoryShapeLogs } from './shapes/memory-shape-logs.ts';
import { MemoryShapeStore } from './shapes/memory-shape-store.ts';
import { ShapeTable } from './shapes/shape-table.ts';
import { CHUNK_BYTES_MAX, type Storage } from './storage.ts';

export interface MemoryStorageOptions {
  readonly clock?: Clock;
  readonly chunkBytesMax?: number;
  /** What the newest transactions may take before they are read from their frames again. */
  readonly tailBytesMax?: number;
}

export function memoryStorage(options: MemoryStorageOptions = {}): Storage {
  const { clock = systemClock, chunkBytesMax = CHUNK_BYTES_MAX, tailBytesMax } = options;
  const log = memoryLog(tailBytesMax);
  const storeOf = ({ handle }: { readonly handle: Handle }): MemoryShapeStore => new MemoryShapeStore(handle);
  return storageOf(log, new MemoryShapeLogs(new ShapeTable({ log, clock, chunkBytesMax, storeOf }, LOG_START), log), clock);
}

function storageOf(log: MemoryLog, shapes: MemoryShapeLogs, clock: Clock): Storage {
  return {
    log,
    shapes,
    disk: new DiskStanding(clock), // There is none that could refuse.
    notes: [],
    close: async () => {
      await shapes.close();
      await log.close();
    },
    clone: (fork) => storageOf(log.clone(fork), shapes.clone(fork), clock),
  };
}
