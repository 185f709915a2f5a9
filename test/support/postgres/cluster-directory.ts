/**
 * Where the clusters of tests lie: in memory, where there is room for them. None has to outlive the machine, and on a disk a new file costs
 * ten times the processor: a database is three hundred of them, and a run makes hundreds of databases. Storages of services are on a disk.
 */
import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

/** On Linux a file system in memory, which holds half of it or what a container has been given. */
const MEMORY = '/dev/shm';
/** There, and of memory that nobody uses. Where there is less, they lie on the disk. */
const ROOM_BYTES_MIN = 6 * 1024 ** 3;

const made = new Set<string>();

/** A new one, for a cluster alone. It goes with the test file, or with `removeClusters`. */
export function clusterDirectory(): string {
  const directory = mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), 'armature-cluster-'));
  made.add(directory);
  return directory;
}

/** All that were made in this process; their servers have ended. */
export function removeClusters(): void {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
  made.clear();
}

function hasRoom(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return Math.min(bavail * bsize, freemem()) >= ROOM_BYTES_MIN;
  } catch {
    return false; // Not a Linux, or a container without it.
  }
}
