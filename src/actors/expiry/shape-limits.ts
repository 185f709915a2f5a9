/**
 * ShapeLimits: which stored shapes a limit takes. The table of expiry, which owns nothing: it looks at what there is.
 *
 * A shape is never taken while somebody reads it, since it would come back at once, at the cost of a snapshot; nor while others depend on
 * it; nor before its first rows are there. Of the rest those go first that were unread for longest.
 */
import type { Fork, Forkable } from '../../base/fork.ts';
import { bornMicros, type Handle } from '../../model/shape.ts';
import type { Message, Table } from '../../otp/process.ts';

/** What is not set is no limit. */
export interface Limits {
  /** How many shapes there may be. */
  readonly shapesMax?: number | undefined;
  /** Bytes that shapes may take. What else a storage has, its log above all, no end of a shape gives back. */
  readonly bytesMax?: number | undefined;
  /** Milliseconds that a shape may be unread. */
  readonly unreadMsMax?: number | undefined;
  /** Milliseconds for which a shape that was read counts as in use. */
  readonly inUseMs: number;
}

/** What is looked at of a shape that is served. */
export interface LimitedShape {
  readonly handle: Handle;
  readonly dependsOn: readonly Handle[];
  readonly storedBytes: number;
  readonly snapshot: { readonly state: string };
}

/** What one look has found. */
export interface LimitsLook {
  /** That are served. */
  readonly shapes: number;
  readonly bytes: number;
  /** How many shapes it takes, and why; left out where it takes none. */
  readonly taken?: { readonly count: number; readonly why: string };
}

export interface LimitsPorts extends Forkable<LimitsPorts> {
  /** Whom a limit names ends: who is to end it hears of it. */
  canEnd(): boolean;
  /** For onlookers. */
  noteLook(look: LimitsLook): void;
  shapes(): Iterable<LimitedShape>;
  /** On the scale of `nowMs`. */
  lastReadMs(handle: Handle): number;
  nowMs(): number;
}

interface Unread {
  readonly handle: Handle;
  readonly bytes: number;
  readonly unreadMs: number;
}

interface NothingTaken extends Message {
  readonly type: 'limits.kept' | 'limits.reached';
}

interface Exceeded extends Message {
  readonly type: 'limits.exceeded';
  readonly handles: readonly Handle[];
  readonly why: string;
}

/** Of one look: each is stopped, and its deletion is synced by itself. */
export const TAKEN_MAX = 500;

export class ShapeLimits implements Table<'look'> {
  constructor(
    private readonly limits: Limits,
    private readonly ports: LimitsPorts,
  ) {}

  apply(): Message {
    const { shapesMax = Infinity, bytesMax = Infinity, unreadMsMax = Infinity } = this.limits;
    if (Math.min(shapesMax, bytesMax, unreadMsMax) === Infinity || !this.ports.canEnd()) return { type: 'limits.kept' };
    const shapes = [...this.ports.shapes()];
    const bytes = shapes.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    const found = this.found(shapes, bytes);
    const taken = found.type === 'limits.exceeded' ? { taken: { count: found.handles.length, why: found.why } } : {};
    this.ports.noteLook({ shapes: shapes.length, bytes, ...taken });
    return found;
  }

  clone(fork: Fork): ShapeLimits {
    return new ShapeLimits(this.limits, this.ports.clone(fork));
  }

  key(): string {
    return '';
  }

  private found(shapes: readonly LimitedShape[], bytes: number): Exceeded | NothingTaken {
    const { shapesMax = Infinity, bytesMax = Infinity, unreadMsMax = Infinity } = this.limits;
    const isOver = shapes.length > shapesMax || bytes >= bytesMax;
    const unread = isOver || unreadMsMax < Infinity ? this.unread(shapes) : [];
    const old = unread.filter(({ unreadMs }) => unreadMs >= unreadMsMax);
    if (old.length > 0) return exceeded(longestFirst(old), `nobody has read it for ${seconds(unreadMsMax)}`);
    if (!isOver) return { type: 'limits.kept' };
    const sorted = longestFirst(unread);
    const many = sorted.slice(0, Math.max(0, shapes.length - shapesMax));
    if (many.length > 0) return exceeded(many, `there are more than ${shapesMax} shapes, and it was unread for longest`);
    const large = makingRoom(sorted, bytes - bytesMax);
    if (large.length > 0) return exceeded(large, `the shapes have reached ${bytesMax} bytes, and it was unread for longest`);
    return bytes >= bytesMax ? { type: 'limits.reached', bytes, bytesMax } : { type: 'limits.kept' };
  }

  /** Those that may be taken. */
  private unread(shapes: readonly LimitedShape[]): readonly Unread[] {
    const needed = new Set(shapes.flatMap(({ dependsOn }) => dependsOn));
    const nowMs = this.ports.nowMs();
    return shapes
      .filter(({ handle, snapshot }) => snapshot.state === 'complete' && !needed.has(handle))
      .map(({ handle, storedBytes }) => ({ handle, bytes: storedBytes, unreadMs: nowMs - this.ports.lastReadMs(handle) }))
      .filter(({ unreadMs }) => unreadMs >= this.limits.inUseMs);
  }
}

function longestFirst(unread: readonly Unread[]): readonly Unread[] {
  return unread.toSorted((left, right) => right.unreadMs - left.unreadMs || bornMicros(left.handle) - bornMicros(right.handle));
}

/** So many that there is room again. @param excessBytes how far beyond their limit the shapes are: from nothing on there is none. */
function makingRoom(unread: readonly Unread[], excessBytes: number): readonly Unread[] {
  let freed = 0;
  let count = 0;
  for (; count < unread.length && freed <= excessBytes; count += 1) freed += unread[count]?.bytes ?? 0;
  return unread.slice(0, count);
}

/** The others wait for the next look. */
function exceeded(unread: readonly Unread[], why: string): Exceeded {
  return { type: 'limits.exceeded', handles: unread.slice(0, TAKEN_MAX).map(({ handle }) => handle), why };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
