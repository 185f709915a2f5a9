/** StoredBytes: how much of the disk each kind of file takes. Found by a walk, for who looks at a directory from outside. */
import type { Disk } from '../disk/disk.ts';
import { DiskError } from '../errors.ts';

/** `other`: files that the format does not know, and those that were not finished. */
export const STORED_KINDS = ['log', 'checkpoints', 'snapshots', 'packs', 'lines', 'indexes', 'moved', 'other'] as const;
export type StoredKind = (typeof STORED_KINDS)[number];

export type StoredBytes = Readonly<Record<StoredKind, { readonly files: number; readonly bytes: number }>>;

const KINDS: readonly (readonly [RegExp, StoredKind])[] = [
  [/^log\/(\d{16}\.log|durable)$/, 'log'],
  [/^checkpoint\/\d{16}\.checkpoint$/, 'checkpoints'],
  [/^shapes\/[0-9a-f]{2}\/[\w-]+\.snapshot$/, 'snapshots'],
  [/^packs\/\d{16}\.pack$/, 'packs'],
  [/^shapes\/[0-9a-f]{2}\/[\w.-]+\.lines$/, 'lines'],
  [/^shapes\/[0-9a-f]{2}\/[\w.-]+\.index$/, 'indexes'],
  [/^shapes\/[0-9a-f]{2}\/[\w-]+\.\d+\.moved$/, 'moved'],
];
const FAN_OUT = /^[0-9a-f]{2}$/;

/** @throws {DiskError} A file that goes meanwhile is none. */
export async function storedBytes(disk: Disk, directory: string): Promise<StoredBytes> {
  const found = Object.fromEntries(STORED_KINDS.map((kind) => [kind, { files: 0, bytes: 0 }])) as Record<
    StoredKind,
    { files: number; bytes: number }
  >;
  for await (const { path, bytes } of filesOf(disk, directory)) {
    const kind = KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? 'other';
    found[kind].files += 1;
    found[kind].bytes += bytes;
  }
  return found;
}

async function* filesOf(disk: Disk, directory: string): AsyncGenerator<{ path: string; bytes: number }> {
  const shapes = (await disk.list(`${directory}/shapes`)).filter((name) => FAN_OUT.test(name)).map((name) => `shapes/${name}`);
  for (const folder of ['log', 'checkpoint', 'packs', ...shapes]) {
    for (const name of await disk.list(`${directory}/${folder}`)) {
      const bytes = await sizeOf(disk, `${directory}/${folder}/${name}`);
      if (bytes !== undefined) yield { path: `${folder}/${name}`, bytes };
    }
  }
}

async function sizeOf(disk: Disk, path: string): Promise<number | undefined> {
  try {
    const file = await disk.open(path, 'read');
    await file.close();
    return file.size;
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
