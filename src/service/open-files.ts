/**
 * OpenFiles: what becomes of the files that this process may have open. A connection of a client is one, as are a connection to Postgres
 * and a file of the storage. Clients could take them all, and then nothing is followed any more: so some are kept from them.
 */
import type { FilesMax } from '../storage/shapes/file-cache.ts';

export interface OpenFiles {
  /** Connections of clients at a time. */
  readonly connectionsMax: number;
  /** Files of shapes that are open to be read. */
  readonly readFiles: FilesMax;
}

/** For the transaction log, snapshots on their way to the disk, Postgres, pages and threads, and for what is read. */
const KEPT = 512;

/** @param max all that there may be: Infinity where there is no limit. */
export function shareOpenFiles(max: number): OpenFiles {
  const kept = Math.min(KEPT, Math.floor(max / 2));
  return { connectionsMax: max - kept, readFiles: { idle: Math.floor(kept / 12), uses: Math.ceil(kept / 6) } };
}
