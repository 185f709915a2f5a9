/**
 * Compactor: has the logs compacted that tell of few rows many times, one after the other and in the background. A log is looked at when
 * what is closed of it has doubled, so that however large it becomes each of its lines is looked at a few times.
 *
 * Nothing waits for it, and what it has not finished is nothing: a disk that refuses it something has lost nothing by that, and is met
 * again by whoever must write.
 */
import type { Clock } from '../../base/clock.ts';
import { pause } from '../../base/pause.ts';
import { UnreadableEntryError } from '../../model/log-entry.ts';
import { compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import { DiskError, errorOf, ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { ShapeFiles } from '../shapes/shape-files.ts';
import type { ChunkEnd, LinesState } from '../shapes/shape-lines.ts';
import type { ShapeCapture, ShapeState, StoredShape } from '../shapes/stored-shape.ts';
import { CompactionRun, type RunOptions, type TakeOver } from './compaction-run.ts';
import type { LineFolder } from './line-folder.ts';

export interface CompactionBounds extends Pick<RunOptions, 'goneShareMin' | 'heldBytesMax' | 'unbrokenBytesMax' | 'waitedBytesMax'> {
  /** So much must have been closed since a log was looked at last. */
  readonly closedBytesMin: number;
  /** After each step others have so much time. */
  readonly pauseMs: number;
}

export interface CompactorOptions extends Partial<CompactionBounds> {
  readonly clock: Clock;
  readonly folder: LineFolder;
  readonly filesOf: (handle: Handle) => ShapeFiles | undefined;
  /** What the log of a shape tells behind here must stay as it is; undefined for one that nobody depends on. */
  readonly oldestView: (handle: Handle) => LogOffset | undefined;
}

const MIB = 1024 * 1024;
const BOUNDS: CompactionBounds = {
  closedBytesMin: 4 * MIB,
  goneShareMin: 1 / 2,
  heldBytesMax: 64 * MIB,
  unbrokenBytesMax: 32 * MIB,
  waitedBytesMax: 256 * MIB, // More than a checkpoint saves of the memory, so that a log that is written to is taken over, too.
  pauseMs: 1,
};
/** The last chunks stay as they are: whoever waits for a transaction by its id finds it there. */
const KEPT_CHUNKS = 1;

interface Candidate {
  readonly shape: StoredShape;
  readonly chunkBytesMax: number;
  /** Of the chunks that may be compacted. */
  readonly ends: readonly ChunkEnd[];
  readonly last: ChunkEnd;
  readonly logEnd: LogOffset;
}

export class Compactor {
  /** How much of a log was closed, as it was left, when it was last looked at. */
  private readonly looked = new Map<Handle, number>();
  /** What is to be looked at, by what was saved last. */
  private readonly due = new Map<Handle, Candidate>();
  private readonly bounds: CompactionBounds;
  private running: Promise<void> | undefined;
  private prepared: CompactionRun | undefined;
  private damaged: ShapeCorruptError | undefined;
  /** What nobody expected: the next checkpoint crashes with it. */
  private fault: unknown;
  private readonly stopping = new AbortController();

  constructor(private readonly options: CompactorOptions) {
    this.bounds = { ...BOUNDS, ...options };
  }

  /** Its new files are written: the next checkpoint may count them. */
  get ready(): StoredShape | undefined {
    return this.prepared?.shape;
  }

  /** Called when a checkpoint has these. Begins with the one that has grown most, unless one is under way. */
  consider(captures: readonly ShapeCapture[]): void {
    for (const { shape, state } of captures) this.enter(shape, state);
    if (this.running !== undefined || this.prepared !== undefined || this.stopping.signal.aborted) return;
    const [most] = [...this.due.values()].sort((left, right) => this.growthOf(right) - this.growthOf(left));
    if (most === undefined) return;
    this.due.delete(most.shape.handle);
    this.run(this.compact(most));
  }

  /** Met since it was last asked: the log of that shape is to be condemned. */
  takeDamage(): ShapeCorruptError | undefined {
    if (this.fault !== undefined) throw errorOf(this.fault);
    const { damaged } = this;
    this.damaged = undefined;
    return damaged;
  }

  /**
   * For a checkpoint that has saved the lines of `captures`.
   *
   * @returns undefined when there is nothing to take over, or not now.
   */
  async takeOver(captures: readonly ShapeCapture[]): Promise<(TakeOver & { readonly handle: Handle }) | undefined> {
    const { prepared } = this;
    const capture = captures.find(({ shape }) => shape === prepared?.shape);
    if (prepared === undefined || capture === undefined) return undefined;
    const { handle } = prepared.shape;
    this.prepared = undefined; // Who stops leaves nothing behind of what is prepared, and these files may count by then.
    try {
      const takeOver = await prepared.takeOver(capture.state.lines);
      if (takeOver === undefined) return await this.putBack(prepared);
      this.due.delete(handle);
      if (!prepared.shape.isGone) this.looked.set(handle, takeOver.state.compacted?.bytes ?? 0);
      return { ...takeOver, handle, abandon: () => this.takeBack(prepared, takeOver) };
    } catch (error) {
      return void (await this.giveUp(prepared, error));
    }
  }

  forget(handle: Handle): void {
    this.looked.delete(handle);
    this.due.delete(handle);
    if (this.prepared?.shape.handle === handle) this.prepared = undefined; // Its files go with the others.
  }

  /** What is under way ends at its next step, and is nothing. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    const { prepared } = this;
    this.prepared = undefined;
    if (prepared !== undefined) await leave(prepared);
  }

  private run(task: Promise<void>): void {
    this.running = task.catch((error: unknown) => void (this.fault = error)).finally(() => void (this.running = undefined));
  }

  /** The disk refused the checkpoint: the same files are for the next one. */
  private takeBack(run: CompactionRun, takeOver: TakeOver): void {
    takeOver.abandon();
    if (!run.shape.isGone && !this.stopping.signal.aborted) this.prepared = run;
  }

  /** A later checkpoint may count it. What there is more to copy by now is copied in the background, too. */
  private async putBack(run: CompactionRun): Promise<undefined> {
    if (this.stopping.signal.aborted) return void (await leave(run));
    this.run(this.copy(run));
  }

  private enter(shape: StoredShape, { chunkBytesMax, lines }: ShapeState): void {
    const { handle } = shape;
    if (shape.isGone || lines.chunkEnds.length <= KEPT_CHUNKS) return;
    this.looked.set(handle, this.looked.get(handle) ?? lines.compacted?.bytes ?? 0);
    const ends = endsOf(lines, this.options.oldestView(handle));
    const last = ends.at(-1);
    if (last === undefined) return;
    const candidate = { shape, chunkBytesMax, ends, last, logEnd: lines.end };
    if (this.growthOf(candidate) < Math.max(this.bounds.closedBytesMin, this.looked.get(handle) ?? 0)) return;
    this.due.set(handle, candidate);
  }

  private growthOf({ shape, last }: Candidate): number {
    return last.bytes - (this.looked.get(shape.handle) ?? 0);
  }

  private async compact({ shape, chunkBytesMax, ends, last, logEnd }: Candidate): Promise<void> {
    const { folder, filesOf } = this.options;
    const files = filesOf(shape.handle);
    if (files === undefined) return;
    const run = new CompactionRun({ ...this.bounds, shape, files, chunkBytesMax, folder, turn: () => this.turn() });
    try {
      const isWorth = await run.compact(ends, logEnd);
      this.note(shape, last);
      if (!isWorth) return await leave(run);
    } catch (error) {
      this.note(shape, last);
      return await this.giveUp(run, error);
    }
    await this.copy(run);
  }

  private async copy(run: CompactionRun): Promise<void> {
    try {
      await run.copy();
      if (!run.shape.isGone) this.prepared = run;
    } catch (error) {
      await this.giveUp(run, error);
    }
  }

  /** @throws all that is not expected. */
  private async giveUp(run: CompactionRun, error: unknown): Promise<void> {
    this.meet(error, run.shape.handle);
    await leave(run);
  }

  private note({ handle, isGone }: StoredShape, { bytes }: ChunkEnd): void {
    this.due.delete(handle); // A checkpoint may have entered it meanwhile, by what was looked at before.
    if (!isGone) this.looked.set(handle, bytes);
  }

  /** @throws all that is not expected. */
  private meet(error: unknown, handle: Handle): void {
    if (error instanceof ShapeCorruptError) this.damaged = error;
    else if (error instanceof UnreadableEntryError) this.damaged = new ShapeCorruptError(handle, error.message);
    else if (!(error instanceof ShapeGoneError || error instanceof DiskError || error === STOPPED)) throw error;
  }

  private async turn(): Promise<void> {
    const { signal } = this.stopping;
    if (this.bounds.pauseMs > 0) await pause(this.options.clock, this.bounds.pauseMs, signal);
    if (signal.aborted) throw STOPPED;
  }
}

const STOPPED = new Error('the storage is being closed');

/** Of the chunks that may be compacted. */
function endsOf({ chunkEnds }: LinesState, oldestView: LogOffset | undefined): readonly ChunkEnd[] {
  const closed = chunkEnds.slice(0, -KEPT_CHUNKS);
  if (oldestView === undefined) return closed;
  return closed.slice(0, closed.findLastIndex(({ offset }) => compareOffsets(offset, oldestView) <= 0) + 1);
}

/** What cannot be removed now is removed by the next start. */
async function leave(run: CompactionRun): Promise<void> {
  try {
    await run.abandon();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}
