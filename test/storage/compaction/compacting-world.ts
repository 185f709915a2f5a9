/** A storage with a shape, whose log is compacted as soon as there is anything to gain. */
import { systemClock } from '../../../src/base/clock.ts';
import type { CompactionBounds } from '../../../src/storage/compaction/compactor.ts';
import type { RowLine } from '../../../src/storage/compaction/line-folder.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { RowLineFolder } from '../../../src/shapes/row-line-folder.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { lineOf, type RowOperation } from '../../support/storage/row-lines.ts';
import { appendLines, snapshotOf } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

export const EAGER: Partial<CompactionBounds> = { closedBytesMin: 1, goneShareMin: 0, pauseMs: 0 };
/** Some lines. */
const CHUNK_BYTES = 600;

class CountingFolder extends RowLineFolder {
  linesRead = 0;
  bytesFolded = 0;

  override read(line: Uint8Array): RowLine | undefined {
    this.linesRead += 1;
    return super.read(line);
  }

  override fold(earlier: Uint8Array, later: Uint8Array): Uint8Array {
    this.bytesFolded += earlier.length + later.length;
    return super.fold(earlier, later);
  }
}

export class CompactingWorld {
  readonly folder = new CountingFolder();
  private commits = 0;
  private boots = 0;
  private storage: Storage | undefined;
  compactions = 0;

  private constructor(
    readonly disk: MemoryDisk,
    private readonly chunkBytesMax: number,
    private readonly bounds: Partial<CompactionBounds>,
  ) {}

  /** What is left on a disk whose power went. */
  static async onto(disk: MemoryDisk, chunkBytesMax = CHUNK_BYTES, bounds = EAGER): Promise<CompactingWorld> {
    const world = new CompactingWorld(disk, chunkBytesMax, bounds);
    world.commits = 1_000_000;
    await world.open();
    return world;
  }

  static async begin(chunkBytesMax = CHUNK_BYTES, bounds = EAGER): Promise<CompactingWorld> {
    const world = new CompactingWorld(new MemoryDisk(), chunkBytesMax, bounds);
    await world.open();
    await snapshotOf(world.now.shapes.create(handleOf(1), shapeOf({})), []);
    return world;
  }

  get now(): Storage {
    if (this.storage === undefined) throw new Error('the world has not begun');
    return this.storage;
  }

  get shape(): ShapeLog {
    const shape = this.now.shapes.get(handleOf(1));
    if (shape === undefined) throw new Error('the shape is there');
    return shape;
  }

  /** One transaction. */
  append(operations: readonly RowOperation[], shape = this.shape): void {
    this.commits += 1;
    const lsn = 10 * this.commits;
    const lines = operations.map((operation, index) =>
      lineOf(operation, { xid: this.commits, lsn, position: 2 * index, isLast: index === operations.length - 1 }),
    );
    appendLines(shape, lsn, lines);
  }

  async take(act: 'compact' | 'checkpoint' | 'restart'): Promise<void> {
    const before = this.shape.compactedThrough;
    if (act === 'restart') {
      await this.now.close();
      await this.open();
    } else {
      await this.now.shapes.checkpoint();
      if (act === 'compact') await this.untilCounted();
    }
    if (this.shape.compactedThrough !== before) this.compactions += 1;
  }

  async end(): Promise<void> {
    await this.now.close();
  }

  /** All that a disk in memory does is done by then, but for syncs that are held. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 0));
  }

  private async untilCounted(): Promise<void> {
    await this.settle();
    await this.now.shapes.checkpoint();
  }

  private async open(): Promise<void> {
    this.boots += 1;
    this.storage = await openStorage({
      directory: '/data',
      clock: new ManualClock(),
      chunkBytesMax: this.chunkBytesMax,
      folder: this.folder,
      compaction: this.bounds,
      packing: { fewBytesMax: 0 }, // All lines are in files.
      disk: this.disk.mount(),
      processes: { self: { host: 'here', pid: this.boots, start: '' }, isAlive: () => false },
    });
  }
}
