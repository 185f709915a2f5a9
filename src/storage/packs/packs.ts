/**
 * Packs: files in which the rows of many small snapshots lie, and the last lines of many shapes, brought there by checkpoints: many by one
 * append, and one sync for all.
 *
 * A pack is written by one process, which only appends to it; behind a refusal the next one is begun, so nothing is built upon what may not
 * have arrived. What lies in it counts by the state of its shape, and is verified by that, so a pack says nothing of itself. It is removed
 * when no checkpoint that may count refers to it: neither the last one nor the one before.
 */
import { joinedInParts } from '../../base/joined-bytes.ts';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { DiskError, passDiskError } from '../errors.ts';
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
  /** Something was appended since. */
  isUnsynced: boolean;
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
  /**
   * The highest whose name is durable. It stays, though all of it be dead, until there is a higher one: a start counts on from there. So no
   * number is given twice, and nobody who goes by what was comes upon something else under it.
   */
  private named: number;

  /** @param living what a checkpoint refers to. */
  constructor(
    private readonly disk: Pick<Disk, 'open'>,
    private readonly paths: PackPaths,
    private readonly packBytesMax: number,
    found: FoundPacks,
    living: Iterable<PackPlace>,
  ) {
    for (const [number, bytes] of found) this.uses.set(number, { ...NOTHING, bytes });
    this.named = Math.max(0, ...this.uses.keys());
    for (const place of living) this.refer(place);
    this.last = Math.max(0, ...this.uses.keys());
    this.emptied = new Set(this.unused());
  }

  /**
   * Of those that are written no more, the ones whose content is to be moved, in this order: of which most is dead, and, where there are
   * many that have few, those too.
   */
  get sparse(): readonly number[] {
    const full = [...this.uses].filter(([number, { living }]) => number !== this.open?.number && living > 0);
    const fewest = full.sort(([, left], [, right]) => left.living - right.living);
    const sparse = fewest.filter(([, { bytes, living }]) => living * 2 < bytes);
    const small = fewest.filter(([, { living }]) => living * 2 < this.packBytesMax);
    return [...sparse, ...(small.length > SMALL_MAX ? small : [])].map(([number]) => number);
  }

  /**
   * Brings what shapes have to the disk, durably.
   *
   * @param groups taken one after the other: what each gives is written before the next one is asked for.
   * @returns where each lies. @throws {DiskError} nothing that was there is harmed, and the same call may be repeated.
   */
  async append(groups: AsyncIterable<readonly Uint8Array[]> | Iterable<readonly Uint8Array[]>): Promise<readonly PackPlace[]> {
    const places: PackPlace[] = [];
    const before = { last: this.last, named: this.named };
    try {
      for await (const group of groups) {
        if (places.length === 0 && group.length > 0 && this.isWorn) await this.close();
        for (let done = 0; done < group.length; ) {
          const together = await this.appendTogether(group.slice(done));
          for (const place of together) places.push(place);
          done += together.length;
        }
      }
      await this.sync();
      return places;
    } catch (error) {
      await this.close().catch(passDiskError);
      await this.takeBack(before).catch(passDiskError);
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
    const isLeft = (number: number): boolean => number !== this.open?.number && number !== this.named;
    return [...this.uses].filter(([number, { living }]) => living === 0 && isLeft(number)).map(([number]) => number);
  }

  /**
   * Removes those behind `last`, which alone were named since: nobody counts anything of them, and a disk that is full is tried again and
   * again. Where that is refused as well, they go behind checkpoints.
   */
  private async takeBack({ last, named }: { readonly last: number; readonly named: number }): Promise<void> {
    this.named = named;
    for (let number = last + 1; number <= this.last; number += 1) {
      await this.paths.remove(number);
      this.uses.delete(number);
    }
  }

  /** As many as the open pack takes: at least one. */
  private async appendTogether(group: readonly Uint8Array[]): Promise<readonly PackPlace[]> {
    const open = (this.open ??= await this.begin());
    const { number, file } = open;
    const places: PackPlace[] = [];
    let end = file.size;
    for (const { length } of group) {
      if (end >= this.packBytesMax) break;
      places.push({ pack: number, at: end, bytes: length });
      end += length;
    }
    open.isUnsynced = true;
    for (const part of joinedInParts(group.slice(0, places.length), WRITE_BYTES)) await file.append(part);
    this.uses.set(number, { ...NOTHING, ...this.uses.get(number), bytes: end });
    if (end < this.packBytesMax) return places;
    await this.sync();
    await this.close();
    return places;
  }

  private async sync(): Promise<void> {
    if (this.open?.isUnsynced !== true) return;
    await this.open.file.sync();
    this.open.isUnsynced = false;
  }

  private async begin(): Promise<OpenPack> {
    await this.paths.prepare();
    const begun = (this.open = await this.create()); // Whatever the disk refuses from now on, somebody closes it.
    await this.paths.syncNames();
    this.named = begun.number;
    return begun;
  }

  /** Where the device does not read the directory, there may be packs that nobody knows of. */
  private async create(): Promise<OpenPack> {
    for (;;) {
      const number = this.last + 1;
      this.last = number;
      this.uses.set(number, NOTHING); // A refusal may leave its file, too.
      const file = await this.disk.open(this.paths.pathOf(number), 'create').catch(passExisting);
      if (file !== undefined) return { number, file, isUnsynced: false };
      this.uses.delete(number);
    }
  }
}

function passExisting(error: unknown): undefined {
  if (!(error instanceof DiskError && error.code === 'EEXIST')) throw error;
}
