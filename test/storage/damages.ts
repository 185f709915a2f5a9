/** What can befall the bytes on a disk: one file, or two of a kind. */
import { seededRandom, type Random } from '../../src/base/random.ts';
import type { CrashWorld, Violation } from './crash-world.ts';
import type { MemoryDisk } from './memory-disk.ts';

type Damage = (bytes: Buffer, random: Random) => Buffer;

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a flipped bit': (bytes, random) => {
    const damaged = Buffer.from(bytes);
    const at = random.below(bytes.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8));
    return damaged;
  },
  'a cut': (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'the last three bytes cut': (bytes) => bytes.subarray(0, -3),
  zeroes: (bytes, random) => {
    const from = random.below(bytes.length);
    return Buffer.from(bytes).fill(0, from, from + 1 + random.below(bytes.length - from));
  },
  'two stretches swapped': (bytes, random) => {
    const size = Math.max(1, Math.floor(bytes.length / (2 + random.below(6))));
    return Buffer.concat([bytes.subarray(size, 2 * size), bytes.subarray(0, size), bytes.subarray(2 * size)]);
  },
  'a tail twice': (bytes, random) => Buffer.concat([bytes, bytes.subarray(random.below(bytes.length))]),
  'a stretch left out': (bytes, random) => {
    const from = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.below(40))]);
  },
};

export interface Mishap {
  readonly name: string;
  readonly befall: (disk: MemoryDisk) => void;
}

/** Every file of an older moment put back: in place of what there is, or when it had gone. */
export function* staleCopies(older: MemoryDisk, disk: MemoryDisk): Generator<Mishap> {
  for (const path of older.files.filter((each) => !each.endsWith('/format.new'))) {
    const bytes = older.content(path);
    if (disk.files.includes(path) && disk.content(path).equals(bytes)) continue;
    yield { name: `an older ${path} is put back`, befall: (damaged) => damaged.putBack(path, bytes) };
  }
}

/** A bit of each byte of each file that counts for something; of each `every` bytes, one. */
export function* flips(disk: MemoryDisk, every: number, random: Random): Generator<Mishap> {
  for (const path of disk.files.filter((each) => !each.endsWith('.new'))) {
    for (let at = random.below(every); at < disk.content(path).length; at += every) {
      const bit = 1 << random.below(8);
      yield { name: `bit ${bit} of byte ${at} of ${path} is flipped`, befall: (damaged) => flip(damaged, path, at, bit) };
    }
  }
}

/** Every mishap that can befall these files. */
export function* mishaps(files: readonly string[], random: Random): Generator<Mishap> {
  for (const path of files) {
    for (const [what, damage] of Object.entries(DAMAGES)) {
      const seed = random.below(2 ** 31); // Whoever it befalls, it is the same.
      const damaged = (bytes: Buffer): Buffer => damage(bytes, seededRandom(seed));
      yield {
        name: `${what} in ${path}`,
        befall: (disk) => disk.content(path).length > 0 && disk.damage(path, damaged(disk.content(path))),
      };
    }
    yield { name: `${path} is lost`, befall: (disk) => disk.lose(path) };
    const other = files.find((one) => one > path && kindOf(one) === kindOf(path));
    if (other === undefined) continue;
    yield { name: `${path} and ${other} are swapped`, befall: (disk) => swap(disk, path, other) };
    if (kindOf(path) !== '.index' || ![path, other].every((index) => files.includes(linesOf(index)))) continue;
    yield { name: `${path} and ${other} are swapped with their lines`, befall: (disk) => swapWithLines(disk, path, other) };
  }
}

function flip(disk: MemoryDisk, path: string, at: number, bit: number): void {
  const damaged = Buffer.from(disk.content(path));
  damaged[at] = (damaged[at] ?? 0) ^ bit;
  disk.damage(path, damaged);
}

function swap(disk: MemoryDisk, path: string, other: string): void {
  const bytes = disk.content(path);
  disk.damage(path, disk.content(other));
  disk.damage(other, bytes);
}

/** Each pair fits, and belongs to another shape. */
function swapWithLines(disk: MemoryDisk, path: string, other: string): void {
  swap(disk, path, other);
  swap(disk, linesOf(path), linesOf(other));
}

function linesOf(index: string): string {
  return index.replace(/\.index$/, '.lines');
}

function kindOf(path: string): string {
  return path.slice(path.lastIndexOf('.'));
}

/** @returns what each mishap at this moment breaks. */
export async function damageAt(moment: CrashWorld, random: Random): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const { name, befall } of mishaps(moment.disk.files, random)) {
    const violations = await moment.copy(0).survive(befall).catch((error: unknown) => [String(error)]);
    found.push(...violations.map((violation) => `${name}: ${violation}`));
  }
  return found;
}
