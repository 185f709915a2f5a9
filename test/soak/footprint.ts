/** Footprint: what a running service takes at a moment, of memory, of its disk and of the system. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessInspector } from '../../bench/process-inspector.ts';

/** Bytes, or how many there are. */
export interface Footprint {
  readonly resident: number;
  /** With what lies beside it in buffers; when the garbage has gone. */
  readonly heap: number;
  readonly disk: number;
  readonly log: number;
  readonly shapes: number;
  readonly checkpoints: number;
  readonly files: number;
  readonly directories: number;
  /** Open ones, sockets included; none where the system does not tell. */
  readonly descriptors: number;
}

export async function footprintOf(pid: number | undefined, inspector: ProcessInspector, directory: string): Promise<Footprint> {
  await inspector.collectGarbage();
  const { heapBytes, arrayBufferBytes, residentBytes } = await inspector.memory();
  const [log, shapes, packs, checkpoints] = ['log', 'shapes', 'packs', 'checkpoint'].map((name) => diskOf(join(directory, name)));
  const all = diskOf(directory);
  return {
    resident: residentBytes,
    heap: heapBytes + arrayBufferBytes,
    disk: all.bytes,
    log: log?.bytes ?? 0,
    shapes: (shapes?.bytes ?? 0) + (packs?.bytes ?? 0),
    checkpoints: checkpoints?.bytes ?? 0,
    files: all.files,
    directories: all.directories,
    descriptors: descriptorsOf(pid),
  };
}

interface OnDisk {
  readonly bytes: number;
  readonly files: number;
  readonly directories: number;
}

function diskOf(directory: string): OnDisk {
  if (!existsSync(directory)) return { bytes: 0, files: 0, directories: 0 };
  const names = readdirSync(directory, { recursive: true });
  const found = names.map((name) => statSync(join(directory, String(name)), { throwIfNoEntry: false })); // One may be gone by now.
  const files = found.filter((entry) => entry?.isFile() === true);
  return {
    bytes: files.reduce((sum, entry) => sum + (entry?.size ?? 0), 0),
    files: files.length,
    directories: found.filter((entry) => entry?.isDirectory() === true).length,
  };
}

function descriptorsOf(pid: number | undefined): number {
  const directory = `/proc/${pid}/fd`;
  return existsSync(directory) ? readdirSync(directory).length : 0;
}
