/**
 * ShapeFollowers: the event streams that wait at the end of their shape's log. What comes is given to all who stand at the same
 * place as the same bytes, made once.
 *
 * Announcements come from within a process that must not fail over a reader: so what is due is given out a moment later,
 * together with what else has come by then.
 */
import { inTurns } from '../../base/turn.ts';
import { compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import type { ShapeAnnouncements } from '../ports.ts';

/** Everything behind some offset, as events, up to the end of the log. */
export interface EventBatch {
  readonly bytes: Uint8Array;
  readonly end: LogOffset;
}

/** `behind`: there is more than can be given to many at once, so each reads it by itself. `ended`: the shape has. */
export type Parting = 'behind' | 'ended';

export interface Follower {
  /** Everything up to here was given to it. */
  readonly after: LogOffset;
  /** May take its leave. */
  take(batch: EventBatch): void;
  part(why: Parting): void;
  fail(error: unknown): void;
}

interface FollowedShape {
  /** By the offset at which they stand; none of these is empty. */
  readonly places: Map<LogOffset, Set<Follower>>;
  announced: LogOffset | undefined;
  /** What was announced is given out, or will be in a moment. */
  isUnderWay: boolean;
}

/** To give it to one takes some 20 µs, and others are not to wait for thousands. */
const IN_TURN_MAX = 256;

export class ShapeFollowers implements ShapeAnnouncements {
  private readonly shapes = new Map<Handle, FollowedShape>();
  private members = 0;

  /** @param read what there is behind an offset of a log; undefined when it is too much, or not in memory, or no more. */
  constructor(private readonly read: (handle: Handle, after: LogOffset) => EventBatch | undefined) {}

  get count(): number {
    return this.members;
  }

  /** How many of them follow this shape. */
  countOf(handle: Handle): number {
    let count = 0;
    for (const followers of this.shapes.get(handle)?.places.values() ?? []) count += followers.size;
    return count;
  }

  join(handle: Handle, follower: Follower): void {
    const shape = this.shapes.get(handle) ?? { places: new Map(), announced: undefined, isUnderWay: false };
    this.shapes.set(handle, shape);
    placeAt(shape, follower.after).add(follower);
    this.members += 1;
  }

  leave(handle: Handle, follower: Follower): void {
    const shape = this.shapes.get(handle);
    const place = shape?.places.get(follower.after);
    if (shape === undefined || place?.delete(follower) !== true) return;
    this.members -= 1;
    if (place.size === 0) shape.places.delete(follower.after);
    if (shape.places.size === 0) this.shapes.delete(handle);
  }

  announce(handle: Handle, end: LogOffset): boolean {
    const shape = this.shapes.get(handle);
    if (shape === undefined) return false;
    shape.announced = end;
    if (!shape.isUnderWay) void Promise.resolve().then(() => this.giveOut(handle, shape));
    shape.isUnderWay = true;
    return true;
  }

  rotate(handle: Handle): void {
    for (const follower of followersOf(this.shapes.get(handle))) follower.part('ended');
  }

  /** What is announced meanwhile is given out behind that, so that each is given everything in order. */
  private async giveOut(handle: Handle, shape: FollowedShape): Promise<void> {
    for (let { announced } = shape; announced !== undefined; { announced } = shape) {
      shape.announced = undefined;
      for (const [after, followers] of [...shape.places]) {
        if (compareOffsets(announced, after) > 0) await this.giveTo(followers, handle, shape, after);
      }
    }
    shape.isUnderWay = false;
  }

  private async giveTo(followers: Set<Follower>, handle: Handle, shape: FollowedShape, after: LogOffset): Promise<void> {
    const batch = this.readFor(followers, handle, after);
    if (batch === undefined) return;
    await inTurns([...followers], IN_TURN_MAX, (follower) => {
      if (!followers.delete(follower)) return; // It has left while others had their turn.
      placeAt(shape, batch.end).add(follower);
      if (followers.size === 0) shape.places.delete(after);
      follower.take(batch);
    });
  }

  /** @returns undefined when all of them have taken their leave. */
  private readFor(followers: ReadonlySet<Follower>, handle: Handle, after: LogOffset): EventBatch | undefined {
    try {
      const batch = this.read(handle, after);
      if (batch === undefined) for (const follower of followers) follower.part('behind');
      return batch;
    } catch (error) {
      for (const follower of followers) follower.fail(error); // Each request ends as it would have, had it read by itself.
      return undefined;
    }
  }
}

function placeAt({ places }: FollowedShape, offset: LogOffset): Set<Follower> {
  const place = places.get(offset) ?? new Set();
  places.set(offset, place);
  return place;
}

function followersOf(shape: FollowedShape | undefined): readonly Follower[] {
  return [...(shape?.places.values() ?? [])].flatMap((place) => [...place]);
}
