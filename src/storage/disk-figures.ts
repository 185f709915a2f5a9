/** DiskFigures: how many bytes a storage has of each kind, by what it knows: no directory is walked. */
import type { ShapeLog } from './shapes/shape-logs.ts';
import type { Storage } from './storage.ts';

export interface DiskFigures {
  readonly log: number;
  readonly checkpoints: number;
  readonly snapshots: number;
  /** With their index; also those that no checkpoint has brought to the disk yet. */
  readonly lines: number;
}

/** @param shapes which ones; each is looked at, and nothing is read. */
export function diskFigures(
  { log, shapes }: Pick<Storage, 'log' | 'shapes'>,
  of: Iterable<Pick<ShapeLog, 'storedBytes' | 'snapshotBytes'>> = shapes.all(),
): DiskFigures {
  let snapshots = 0;
  let lines = 0;
  for (const { storedBytes, snapshotBytes } of of) {
    snapshots += snapshotBytes;
    lines += storedBytes - snapshotBytes;
  }
  return { log: log.retained.bytes, checkpoints: shapes.checkpointBytes, snapshots, lines };
}
