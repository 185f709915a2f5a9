/** The storages that are held to one contract. */
import type { Clock } from '../../src/base/clock.ts';
import { memoryStorage } from '../../src/storage/memory-storage.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';
import { MemoryDisk } from './memory-disk.ts';

export interface EngineOptions {
  readonly clock?: Clock;
  readonly chunkBytesMax?: number;
}

export interface Engine {
  readonly name: string;
  /** The record of a small snapshot has its rows. */
  readonly hasFewRows: boolean;
  readonly open: (options?: EngineOptions) => Promise<Storage>;
}

/** Small enough that every test crosses segments and reads what the tail no longer has. */
const SMALL = { segmentBytesMax: 512, tailBytesMax: 1024, readFiles: { idle: 2, uses: 2 } };

export const engines: readonly Engine[] = [
  {
    name: 'memory',
    hasFewRows: false,
    open: async (options = {}) => memoryStorage({ clock: new ManualClock(), tailBytesMax: SMALL.tailBytesMax, ...options }),
  },
  { name: 'disk in memory', hasFewRows: true, open: (options) => openOnMemoryDisk(options) },
  { name: 'disk in memory, each shape has files', hasFewRows: false, open: (options) => openOnMemoryDisk(options, { fewBytesMax: 0 }) },
  { name: 'disk', hasFewRows: true, open: openOnDisk },
];

async function openOnMemoryDisk(options: EngineOptions = {}, packing = {}): Promise<Storage> {
  return openStorage({ directory: '/data', clock: new ManualClock(), ...SMALL, ...options, packing, disk: new MemoryDisk().mount() });
}

async function openOnDisk(options: EngineOptions = {}): Promise<Storage> {
  const directory = temporaryDirectory();
  const storage = await openStorage({ directory, clock: new ManualClock(), ...SMALL, ...options });
  return { ...storage, close: () => storage.close().finally(() => removeDirectory(directory)) };
}
