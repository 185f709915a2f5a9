/**
 * ShapePaths: where the files of a shape lie. They have flat names in a bounded number of directories that stay, so
 * that a shape costs no directory of its own and leaves none behind.
 *
 * A shape's files are removed only once its deletion stands durably in the log: a stop in between leaves files that no
 * record knows, and the next start sweeps them up. What has another name is not ours, and stays.
 */
import { fnvHash } from '../../base/fnv-hash.ts';
import { eachToItsEnd, inParallel } from '../../base/in-parallel.ts';
import type { Handle } from '../../model/shape.ts';
import type { Disk } from '../disk/disk.ts';
import { makeDurably } from '../disk/durable-directory.ts';
import { isFailing, passMissing } from '../errors.ts';
import { PackPaths, type FoundPacks } from '../packs/pack-paths.ts';

export type LinesKind = 'lines' | 'index';

/** The files that there are of one shape. */
export interface StoredFiles {
  readonly hasSnapshot: boolean;
  /** The kinds that there are of each generation of its lines. */
  readonly lines: ReadonlyMap<number, ReadonlySet<LinesKind>>;
  /** The numbers of the splices that left rows. */
  readonly moved: readonly number[];
}

/** Names are removed so many at once: what the log brings to the disk goes through the same few hands of the system. */
const REMOVALS_MAX = 2;
/** What there is of all shapes, as far as it can be read. */
export interface StoredShapes {
  readonly files: ReadonlyMap<Handle, StoredFiles>;
  /** Directories that the device does not read: what is in them is not known. */
  readonly unread: ReadonlySet<string>;
  /** Undefined where the device does not read their directory. */
  readonly packs: FoundPacks | undefined;
}

/** A sync of a directory, and the one behind it, of those who asked meanwhile. */
interface Naming {
  readonly underWay: Promise<void>;
  next: Promise<void> | undefined;
}

const LISTED_AT_ONCE = 8;
const FAN_OUT = 256;
const FAN_OUT_PATTERN = /^[0-9a-f]{2}$/;
const NAME_PATTERN = /^([\w-]+)\.(snapshot|(?:[1-9]\d*\.)?(?:lines|index)|\d+\.moved)$/;
const LINES_PATTERN = /^(?:(\d+)\.)?(lines|index)$/;
const MOVED_PATTERN = /^(\d+)\.moved$/;

export class ShapePaths {
  readonly packs: PackPaths;
  private readonly shapes: string;
  private readonly made = new Map<string, Promise<void>>();
  /** By directory, while names in it are made durable. */
  private readonly namings = new Map<string, Naming>();

  constructor(
    private readonly disk: Disk,
    storage: string,
  ) {
    this.shapes = `${storage}/shapes`;
    this.packs = new PackPaths(disk, storage);
  }

  snapshotPathOf(handle: Handle): string {
    return `${this.directoryOf(handle)}/${handle}.snapshot`;
  }

  /** @param generation from 0 on. */
  linesPathOf(handle: Handle, kind: LinesKind, generation: number): string {
    return `${this.directoryOf(handle)}/${linesName(handle, kind, generation)}`;
  }

  /** Rows that splice `number` brought. */
  movedPathOf(handle: Handle, number: number): string {
    return `${this.directoryOf(handle)}/${movedName(handle, number)}`;
  }

  /**
   * Makes the names of the shape's files durable, with those of others: who asks while it is done shares the next time. Where this time is
   * refused there is no next one, for nobody knows what was to be durable by then: all who wait are told.
   */
  syncNames(handle: Handle): Promise<void> {
    const directory = this.directoryOf(handle);
    const naming = this.namings.get(directory);
    if (naming === undefined) return this.beginNaming(directory, this.disk.syncDirectory(directory));
    return (naming.next ??= naming.underWay.then(() => this.disk.syncDirectory(directory)));
  }

  /** The same things, those whose shapes share a directory next to each other. */
  inDirectories<T>(things: readonly T[], handleOf: (thing: T) => Handle): readonly T[] {
    const directories: T[][] = Array.from({ length: FAN_OUT }, () => []);
    for (const thing of things) directories[hash8(handleOf(thing))]?.push(thing);
    return directories.flat();
  }

  directoryOf(handle: Handle): string {
    return `${this.shapes}/${hash8(handle).toString(16).padStart(2, '0')}`;
  }

  /** Makes the directory of the shape's files, once for all shapes that share it. */
  prepare(handle: Handle): Promise<void> {
    const directory = this.directoryOf(handle);
    const made = this.made.get(directory) ?? this.make(directory);
    this.made.set(directory, made);
    return made;
  }

  /** Which files there are of each handle. One directory that the device fails, alone, is left out. @throws {DiskError} */
  async stored(): Promise<StoredShapes> {
    const files = new Map<Handle, FoundFiles>();
    const unread = new Set<string>();
    const fanOut = (await this.disk.list(this.shapes)).filter((directory) => FAN_OUT_PATTERN.test(directory));
    const paths = fanOut.map((directory) => `${this.shapes}/${directory}`);
    const lists = new Map<string, readonly string[] | undefined>();
    await inParallel(paths, LISTED_AT_ONCE, async (path) => void lists.set(path, await lookedTwice(() => this.disk.list(path))));
    for (const path of paths) {
      const names = lists.get(path);
      if (names === undefined) unread.add(path);
      for (const name of names ?? []) this.enter(files, path, name);
    }
    const packs = await lookedTwice(() => this.packs.found());
    if (packs === undefined) unread.add(this.packs.directory);
    return { files, unread, packs };
  }

  /**
   * Removes all files of these that can go. However many they are, each directory is read once.
   *
   * @param gone told of those that have no files any more.
   * @throws {DiskError} the first refusal, when all that is not refused is done.
   */
  async discard(handles: Iterable<Handle>, gone: (handle: Handle) => void = () => {}): Promise<void> {
    const byDirectory = new Map<string, Set<Handle>>();
    for (const handle of handles) {
      const directory = this.directoryOf(handle);
      byDirectory.set(directory, (byDirectory.get(directory) ?? new Set()).add(handle));
    }
    await eachToItsEnd(byDirectory, 1, ([directory, those]) => this.discardIn(directory, those, gone));
  }

  /** One that is not there is no error: its shape may have been deleted meanwhile. */
  removeMoved(handle: Handle, number: number): Promise<void> {
    return this.remove(handle, movedName(handle, number));
  }

  /** Likewise. */
  async removeLines(handle: Handle, generation: number): Promise<void> {
    for (const kind of ['lines', 'index'] as const) await this.remove(handle, linesName(handle, kind, generation));
  }

  private enter(found: Map<Handle, FoundFiles>, directory: string, name: string): void {
    const [, handle, kind] = NAME_PATTERN.exec(name) ?? [];
    if (handle === undefined || kind === undefined || this.directoryOf(handle as Handle) !== directory) return;
    const files = found.get(handle as Handle) ?? { hasSnapshot: false, lines: NONE, moved: [] };
    found.set(handle as Handle, files);
    enter(files, kind);
  }

  private beginNaming(directory: string, underWay: Promise<void>): Promise<void> {
    const naming: Naming = { underWay, next: undefined };
    this.namings.set(directory, naming);
    const goOn = (): void => {
      if (naming.next === undefined) this.namings.delete(directory);
      else void this.beginNaming(directory, naming.next);
    };
    underWay.then(goOn, goOn); // Who asked for it is told.
    return underWay;
  }

  /** One that the disk refused is asked for again. */
  private async make(directory: string): Promise<void> {
    try {
      await makeDurably(this.disk, this.shapes);
      await makeDurably(this.disk, directory);
    } catch (error) {
      this.made.delete(directory);
      throw error;
    }
  }

  private async discardIn(directory: string, handles: ReadonlySet<Handle>, gone: (handle: Handle) => void): Promise<void> {
    const namesOf = new Map<Handle, string[]>([...handles].map((handle) => [handle, []]));
    for (const name of await this.disk.list(directory)) {
      const [, handle = ''] = NAME_PATTERN.exec(name) ?? [];
      namesOf.get(handle as Handle)?.push(name);
    }
    await eachToItsEnd(namesOf, REMOVALS_MAX, async ([handle, names]) => {
      await eachToItsEnd(names, 1, (name) => this.remove(handle, name));
      gone(handle);
    });
  }

  private remove(handle: Handle, name: string): Promise<void> {
    return this.disk.removeFile(`${this.directoryOf(handle)}/${name}`).catch(passMissing);
  }
}

/** @returns undefined where the device fails it both times. */
async function lookedTwice<T>(look: () => Promise<T>): Promise<T | undefined> {
  return (await look().catch(passFailing)) ?? (await look().catch(passFailing));
}

/** What cannot be read is not known. @throws all else. */
function passFailing(error: unknown): undefined {
  if (!isFailing(error)) throw error;
}

function movedName(handle: Handle, number: number): string {
  return `${handle}.${number}.moved`;
}

interface FoundFiles extends StoredFiles {
  hasSnapshot: boolean;
  lines: Map<number, Set<LinesKind>>;
  readonly moved: number[];
}

/** Of most shapes there are no lines. */
const NONE = new Map<number, Set<LinesKind>>();

function enter(files: FoundFiles, kind: string): void {
  if (kind === 'snapshot') files.hasSnapshot = true;
  const [, moved] = MOVED_PATTERN.exec(kind) ?? [];
  if (moved !== undefined) files.moved.push(Number(moved));
  const [, generation = '0', lines] = LINES_PATTERN.exec(kind) ?? [];
  if (lines !== 'lines' && lines !== 'index') return;
  if (files.lines === NONE) files.lines = new Map();
  const kinds = files.lines.get(Number(generation)) ?? new Set();
  files.lines.set(Number(generation), kinds.add(lines));
}

/** Those of generation 0 are named as they were before there were others. */
function linesName(handle: Handle, kind: LinesKind, generation: number): string {
  return generation === 0 ? `${handle}.${kind}` : `${handle}.${generation}.${kind}`;
}

/** Folded, so that every bit counts. */
function hash8(text: string): number {
  const hash = fnvHash(text);
  const half = (hash >>> 16) ^ hash;
  return ((half >>> 8) ^ half) & 0xff;
}
