/**
 * Verification: every checksum of every file of a storage directory, and what a service would do about each that does not hold.
 *
 * It may run beside a service. What is being appended lies behind what counts, and is not looked at; a shape that ends, or is filed anew,
 * while it is looked at is looked at again as it is then: each for itself, since what a checkpoint refers to may be gone before all of
 * them were read. So what is told of a shape's files was found while the directory said that they count.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Handle } from '../../model/shape.ts';
import type { Disk } from '../disk/disk.ts';
import { ShapePaths } from '../shapes/shape-paths.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import type { Damage } from './damage.ts';
import { checkedBytes, ShapeCheck } from './shape-check.ts';
import { seeStorage, type SeenStorage } from './seen-storage.ts';

export interface Verification {
  readonly seen: SeenStorage;
  readonly damages: readonly Damage[];
  /** What does not hold and took nothing with it; files that nobody counts. A sentence each, without a full stop. */
  readonly remarks: readonly string[];
  readonly shapeCount: number;
  /** That were read and verified. */
  readonly bytes: number;
}

/** How much was read by now, and of how much in all; the log's share is not known before it was read. */
export type VerificationProgress = (bytes: number, ofBytes: number | undefined) => void;

/** Beside a service shapes come and go: no look need find what the one before it found. */
const LOOKS_MAX = 5;

/** @throws {NoStorageError | StorageVersionError | UnknownContentError | DiskError} */
export async function verifyStorage(disk: Disk, directory: string, progress: VerificationProgress): Promise<Verification> {
  let bytes = 0;
  const total: { bytes?: number } = {};
  const read = (more: number): void => progress((bytes += more), total.bytes);
  const before = await seeStorage(disk, directory, { isWhole: true, read });
  total.bytes = before.shapes.reduce((sum, state) => sum + checkedBytes(state), bytes);
  const check = new ShapeCheck(disk, new ShapePaths(disk, directory), read);
  return await verifyShapes(before, check, (isWhole) => seeStorage(disk, directory, { isWhole }), () => bytes).finally(() => check.close());
}

async function verifyShapes(
  before: SeenStorage,
  check: ShapeCheck,
  look: (isWhole: boolean) => Promise<SeenStorage>,
  bytes: () => number,
): Promise<Verification> {
  const suspects = new Set([...before.damages, ...(await damagesAmong(before.shapes, check))].flatMap(({ handle }) => handle ?? []));
  const shapeCount = before.shapes.length;
  if (suspects.size === 0 && before.damages.length === 0 && before.others.length === 0) {
    return { seen: before, damages: [], remarks: before.remarks, shapeCount, bytes: bytes() };
  }
  const isWhole = before.damages.length > 0;
  const { seen, damages: outside } = await confirmed(() => look(isWhole), suspects);
  const inside = await confirmedInFiles(seen, suspects, () => look(false), check);
  const damages = [...outside, ...inside];
  const left = seen.others.filter((handle) => before.others.includes(handle) && !damages.some((damage) => damage.handle === handle));
  return { seen, damages, remarks: [...seen.remarks, ...left.map(leftOver)], shapeCount, bytes: bytes() };
}

/**
 * What a directory has, without a look into the files of its shapes. Damage is told that two looks have found.
 *
 * @throws {NoStorageError | StorageVersionError | UnknownContentError | DiskError}
 */
export async function inspectStorage(disk: Disk, directory: string): Promise<SeenStorage> {
  const before = await seeStorage(disk, directory);
  if (before.damages.length === 0) return before;
  const suspects = new Set(before.damages.flatMap(({ handle }) => handle ?? []));
  const { seen, damages } = await confirmed(() => seeStorage(disk, directory), suspects);
  return { ...seen, damages };
}

/** Looks again, until a look finds nothing that the one before it did not. */
async function confirmed(
  look: () => Promise<SeenStorage>,
  first: ReadonlySet<string>,
): Promise<Pick<Verification, 'seen' | 'damages'>> {
  let suspects = first;
  for (let count = 1; ; count += 1) {
    const seen = await look();
    const known = seen.damages.filter(({ handle }) => handle === undefined || suspects.has(handle));
    if (known.length === seen.damages.length || count === LOOKS_MAX) return { seen, damages: known };
    suspects = new Set(seen.damages.flatMap(({ handle }) => handle ?? []));
  }
}

/** Reads the files of each suspect until they hold, or until a look behind that says that what was read counts still. */
async function confirmedInFiles(
  seen: SeenStorage,
  suspects: ReadonlySet<string>,
  look: () => Promise<SeenStorage>,
  check: ShapeCheck,
): Promise<readonly Damage[]> {
  const damages: Damage[] = [];
  let newest = seen;
  for (const handle of suspects) {
    for (let count = 1; ; count += 1) {
      const read = shapesOf(newest, handle);
      const found = await damagesAmong(read, check);
      if (found.length === 0) break;
      newest = await look();
      const isTold = count === LOOKS_MAX || isDeepStrictEqual(read.map(filesOf), shapesOf(newest, handle).map(filesOf));
      if (!isTold) continue;
      damages.push(...found);
      break;
    }
  }
  return damages;
}

/** One, or none when it ended. */
function shapesOf({ shapes }: SeenStorage, of: string): readonly ShapeState[] {
  return shapes.filter(({ handle }) => handle === of);
}

/** What says where its bytes lie, and what they are. */
function filesOf({ snapshot, lines, views }: ShapeState): Pick<ShapeState, 'snapshot' | 'lines' | 'views'> {
  return { snapshot, lines, views };
}

async function damagesAmong(shapes: readonly ShapeState[], check: ShapeCheck): Promise<readonly Damage[]> {
  const damages: Damage[] = [];
  for (const state of shapes) damages.push(...(await check.damagesOf(state)));
  return damages;
}

function leftOver(handle: Handle): string {
  return `What there is of shape ${handle} counts for nothing: it has no whole snapshot, or was deleted. The next start sweeps it up`;
}
