/**
 * ShapeWorks: what each shape costs, in lines that were made for it. A line is what is converted, filtered, stored and sent: what a shape
 * costs grows with its lines, and nobody need look at a clock for it. Two additions for each delivery.
 */
import type { Clock } from '../../base/clock.ts';
import type { Handle } from '../../model/shape.ts';
import type { ShapeWork } from '../views/shapes.ts';

/** What is recent is this slot and the one before. */
const SLOT_MS = 30_000;
/** So many more than were known at the last look, and those are forgotten that are gone. */
const UNKNOWN_MAX = 1_000;

interface Work {
  lines: number;
  bytes: number;
  readonly recent: RecentLines;
}

export class ShapeWorks {
  private readonly works = new Map<Handle, Work>();
  private readonly recent = new RecentLines();
  /** Of the second that is under way. */
  private lines = 0;
  private bytes = 0;
  private forgetAt = UNKNOWN_MAX;

  constructor(
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly isThere: (handle: Handle) => boolean,
  ) {}

  add(handle: Handle, lines: number, bytes: number): void {
    const { slot } = this;
    const work = this.works.get(handle) ?? this.begin(handle);
    work.lines += lines;
    work.bytes += bytes;
    work.recent.add(slot, lines);
    this.recent.add(slot, lines);
    this.lines += lines;
    this.bytes += bytes;
  }

  of(handle: Handle): ShapeWork {
    const { lines = 0, bytes = 0 } = this.works.get(handle) ?? {};
    const all = this.recent.at(this.slot);
    return { lines, bytes, share: all === 0 ? null : this.recentOf(handle) / all };
  }

  /** Lines of the last minute, or half of it. */
  recentOf(handle: Handle): number {
    return this.works.get(handle)?.recent.at(this.slot) ?? 0;
  }

  /** For the plots, once a second. */
  takeSecond(): { readonly lines: number; readonly lineBytes: number } {
    const second = { lines: this.lines, lineBytes: this.bytes };
    [this.lines, this.bytes] = [0, 0];
    return second;
  }

  private begin(handle: Handle): Work {
    if (this.works.size >= this.forgetAt) this.forget();
    const work = { lines: 0, bytes: 0, recent: new RecentLines() };
    this.works.set(handle, work);
    return work;
  }

  private forget(): void {
    for (const handle of this.works.keys()) if (!this.isThere(handle)) this.works.delete(handle);
    this.forgetAt = 2 * this.works.size + UNKNOWN_MAX;
  }

  private get slot(): number {
    return Math.floor(this.clock.nowMs() / SLOT_MS);
  }
}

class RecentLines {
  private slot = 0;
  private now = 0;
  private before = 0;

  add(slot: number, lines: number): void {
    this.turn(slot);
    this.now += lines;
  }

  at(slot: number): number {
    this.turn(slot);
    return this.now + this.before;
  }

  private turn(slot: number): void {
    if (slot === this.slot) return;
    this.before = slot === this.slot + 1 ? this.now : 0;
    this.now = 0;
    this.slot = slot;
  }
}
