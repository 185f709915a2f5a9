/**
 * Packs: files in which the rows of many small snapshots lie, brought there by checkpoints: many by one append, and one sync for all.
 *
 * A pack is written by one process, which only appends to it; behind a refusal the next one is begun, so nothing is built upon what may not
 * have arrived. What lies in it counts by the state of its shape, and is verified by that, so a pack says nothing of itself. It is removed
 * when no checkpoint that may count refers to it: neither the last one nor the one before.
 */
import { joinedInParts } from '../../base/joined-bytes.ts';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { passDiskError } from '../errors.ts';
import type { FoundPacks, PackPaths, PackPlace } from './pack-paths.ts';

interface PackUse {
  /** Of the file. */
  readonly bytes: number;
  /** Of those, what the last checkpoint refers to. */
  readonly living: number;
}

const NOTHING: PackUse = { bytes: 0, living: 0 };

interface OpenPack {
  readonly number: number;
  readonly file: DiskFile;
}

/** Between two writes others have their turn. */
const WRITE_BYTES = 1024 * 1024;
/** The pack that is written to takes no more when most of it is dead, if it has this share of what it may have. */
const WORN_SHARE_MIN = 1 / 16;
/** So many may be less than half full. */
const SMALL_MAX = 8;

export class Packs {
  private open: OpenPack | undefined;
  private readonly uses = new Map<number, PackUse>();
  /** The last checkpoint does not refer to these. */
  private emptied: ReadonlySet<number>;
  /** The highest number that there may be. */
  private last: number;

  /** @param living rows that a checkpoint refers to. */
  constructor(
    private readonly disk: Pick<Disk, 'open'>,
    private readonly paths: PackPaths,
    private readonly packBytesMax: number,
    found: FoundPacks,
    living: Iterable<PackPlace>,
  ) {
    for (const [number, bytes] of found) this.uses.set(number, { ...NOTHING, bytes });
    for (const rows of living) this.refer(rows);
    this.last = Math.max(0, ...this.uses.keys());
    this.emptied = new Set(this.unused());
  }

  /** Of those that are written no more, the one whose rows are to be moved: most of it is dead, or there are many that have few. */
  get sparse(): number | undefined {
    const full = [...this.uses].filter(([number, { living }]) => number !== this.open?.number && living > 0);
    const fewest = full.sort(([, left], [, right]) => left.living - right.living);
    const sparse = fewest.find(([, { bytes, living }]) => living * 2 < bytes);
    const small = fewest.filter(([, { living }]) => living * 2 < this.packBytesMax);
    return (sparse ?? (small.length > SMALL_MAX ? small[0] : undefined))?.[0];
  }

  /**
   * Brings rows of shapes to the disk, durably.
   *
   * @returns where each lie. @throws {DiskError} nothing that was there is harmed, and the same call may be repeated.
   */
  async append(rows: readonly Uint8Array[]): Promise<readonly PackPlace[]> {
    const places: PackPlace[] = [];
    const { last } = this;
    try {
      if (rows.length > 0 && this.isWorn) await this.close();
      while (places.length < rows.length) places.push(...(await this.appendTogether(rows.slice(places.length))));
      return places;
    } catch (error) {
      await this.close().catch(passDiskError);
      await this.takeBack(last).catch(passDiskError);
      throw error;
    }
  }

  /** The checkpoint that counts next does. */
  refer({ pack, bytes }: PackPlace): void {
    const { bytes: all, living } = this.uses.get(pack) ?? NOTHING;
    this.uses.set(pack, { bytes: all, living: living + bytes });
  }

  /** It does not refer to that any more. */
  release({ pack, at, bytes }: PackPlace): void {
    this.refer({ pack, at, bytes: -bytes });
  }

  /** A checkpoint counts what is referred to. @returns those that are to be removed. */
  counted(): readonly number[] {
    const gone = [...this.emptied];
    for (const number of gone) this.uses.delete(number);
    this.emptied = new Set(this.unused());
    return gone;
  }

  async close(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    await open?.file.close();
  }

  private get isWorn(): boolean {
    const { bytes, living } = (this.open && this.uses.get(this.open.number)) ?? NOTHING;
    return bytes >= WORN_SHARE_MIN * this.packBytesMax && living * 2 < bytes;
  }

  private unused(): number[] {
    return [...this.uses].filter(([number, { living }]) => living === 0 && number !== this.open?.number).map(([number]) => number);
  }

  /**
   * Removes those behind `last`: nobody counts anything of them, and a disk that is full is tried again and again. Where that is refused as
   * well, they go behind checkpoints.
   */
  private async takeBack(last: number): Promise<void> {
    for (let number = last + 1; number <= this.last; number += 1) {
      await this.paths.remove(number);
      this.uses.delete(number);
    }
  }

  /** As many as the open pack takes: at least one. */
  private async appendTogether(rows: readonly Uint8Array[]): Promise<readonly PackPlace[]> {
    const { number, file } = (this.open ??= await this.begin());
    const places: PackPlace[] = [];
    let end = file.size;
    for (const { length } of rows) {
      if (end >= this.packBytesMax) break;
      places.push({ pack: number, at: end, bytes: length });
      end += length;
    }
    for (const part of joinedInParts(rows.slice(0, places.length), WRITE_BYTES)) await file.append(part);
    this.uses.set(number, { ...NOTHING, ...this.uses.get(number), bytes: end });
    await file.sync();
    if (end >= this.packBytesMax) await this.close();
    return places;
  }

  private async begin(): Promise<OpenPack> {
    await this.paths.prepare();
    const number = this.last + 1;
    this.last = number;
    this.uses.set(number, NOTHING); // A refusal may leave its file, too.
    const file = await this.disk.open(this.paths.pathOf(number), 'create');
    const begun = (this.open = { number, file }); // Whatever the disk refuses from now on, somebody closes it.
    await this.paths.syncNames();
    return begun;
  }
}
