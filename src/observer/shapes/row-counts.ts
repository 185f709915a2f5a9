/**
 * RowCounts: how many rows shapes have. No log counts them, and nobody shall pay for it who does not look: so they are counted for who
 * looks, each log once from its beginning and then from where the last count ended, one at a time and for a small part of the time.
 */
import type { Clock, TimerId } from '../../base/clock.ts';
import { compareOffsets, BEFORE_ALL, type LogOffset } from '../../model/log-offset.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { Handle } from '../../model/shape.ts';
import { LINE } from '../../shapes/line-format.ts';
import { DiskError, LinesReplacedError, ShapeCorruptError, ShapeGoneError } from '../../storage/errors.ts';
import type { SeenShape, ShapeSource } from '../sources.ts';

const BYTES_MAX = 32 * 1024 * 1024;
const KEPT_MAX = 1_000;
/** Behind a count that took 10 ms nothing is counted for 200 ms. */
const REST_OF_COST = 20;
const REST_MS_MIN = 10;
const HEADERS = Buffer.from(LINE.headers);
const NO_ROW = Buffer.from(LINE.startOfOthers);
const MOVE = Buffer.from('"event":"move-');
const [INSERT, DELETE] = [0x69, 0x64]; // The first letter of the operation.

interface Count {
  /** Up to here; undefined once it is clear that nobody can tell. */
  readonly end: LogOffset | undefined;
  readonly rows: number;
  /** Of the log, when it was counted. */
  readonly lineBytes: number;
}

export class RowCounts {
  private readonly counts = new Map<Handle, Count>();
  private readonly asked = new Map<Handle, SeenShape>();
  private isCounting = false;
  private isClosed = false;
  private timer: TimerId | undefined;

  constructor(
    private readonly shapes: Pick<ShapeSource, 'entries'>,
    private readonly clock: Pick<Clock, 'nowMs' | 'setTimer' | 'clearTimer'>,
  ) {}

  /** As far as was counted; what came since is counted for the next look. */
  of(shape: SeenShape): number | null {
    const count = this.counts.get(shape.handle);
    if (count !== undefined && count.end === undefined) return null;
    if (count?.end !== shape.end && mayBeCounted(shape, count)) this.ask(shape);
    return count === undefined ? null : count.rows;
  }

  /** What is read goes away next: a count that is under way ends with the entries it has. */
  close(): void {
    this.isClosed = true;
    this.asked.clear();
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
  }

  private ask(shape: SeenShape): void {
    if (this.isClosed || this.asked.size >= KEPT_MAX) return;
    this.asked.set(shape.handle, shape);
    this.countNext();
  }

  private countNext(): void {
    const [next] = this.asked.values();
    if (this.isCounting || next === undefined) return;
    this.asked.delete(next.handle);
    this.isCounting = true;
    const beganMs = this.clock.nowMs();
    const rest = (): void => {
      if (this.isClosed) return;
      this.timer = this.clock.setTimer(() => {
        this.isCounting = false;
        this.countNext();
      }, REST_MS_MIN + REST_OF_COST * (this.clock.nowMs() - beganMs));
    };
    void this.count(next).then(rest);
  }

  private async count(shape: SeenShape): Promise<void> {
    const { handle, end, lineBytes } = shape;
    const from = this.counts.get(handle) ?? { end: BEFORE_ALL, rows: 0 };
    if (from.end === undefined) return;
    try {
      const rows = await rowsWith(this.untilClosed(this.shapes.entries(handle, from.end)), from.rows, end);
      this.keep(handle, rows === undefined ? { end: undefined, rows: 0, lineBytes } : { end, rows, lineBytes });
    } catch (error) {
      if (this.isClosed || mayPass(error)) return; // The next look counts again, from where the last count ended.
      if (!isUnreadable(error)) throw error;
      this.keep(handle, { end: undefined, rows: 0, lineBytes }); // Whoever reads the shape hears why.
    }
  }

  private async *untilClosed(groups: AsyncIterable<Iterable<LogEntry>> | undefined): AsyncGenerator<Iterable<LogEntry>> {
    for await (const entries of groups ?? []) {
      if (this.isClosed) return;
      yield entries;
    }
  }

  private keep(handle: Handle, count: Count): void {
    this.counts.delete(handle);
    this.counts.set(handle, count);
    const [oldest] = this.counts.keys();
    if (this.counts.size > KEPT_MAX && oldest !== undefined) this.counts.delete(oldest);
  }
}

/** The lines were compacted before they were read, or the disk refuses at present. */
function mayPass(error: unknown): boolean {
  return error instanceof LinesReplacedError || error instanceof DiskError;
}

function isUnreadable(error: unknown): boolean {
  return error instanceof ShapeGoneError || error instanceof ShapeCorruptError;
}

/** A log of changes alone does not tell the rows that were there before. One that has yet to be written is counted when it is. */
function mayBeCounted({ definition, snapshot, lineBytes }: SeenShape, count: Count | undefined): boolean {
  if (definition.log === 'changes_only' || snapshot.state !== 'complete') return false;
  if (count !== undefined) return lineBytes - count.lineBytes <= BYTES_MAX;
  return snapshot.chunks.reduce((sum, { bytes }) => sum + bytes, lineBytes) <= BYTES_MAX;
}

/** @returns undefined when an event names rows by patterns: how many these are, nobody says. */
async function rowsWith(
  groups: AsyncIterable<Iterable<LogEntry>>,
  before: number,
  through: LogOffset,
): Promise<number | undefined> {
  let rows = before;
  for await (const entries of groups) {
    for (const { offset, bytes } of entries) {
      if (compareOffsets(offset, through) > 0) return rows;
      const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (line.subarray(0, NO_ROW.length).equals(NO_ROW)) {
        if (line.includes(MOVE)) return undefined;
        continue;
      }
      // Within a text each quote is escaped: what stands between the values stands nowhere else.
      const operation = line[line.lastIndexOf(HEADERS) + HEADERS.length];
      if (operation === INSERT) rows += 1;
      else if (operation === DELETE) rows -= 1;
    }
  }
  return rows;
}
