/**
 * OutgrownLogs: which shapes start over since their log has outgrown their rows. A table of expiry, which owns nothing: it looks at what
 * there is.
 *
 * An insert and the delete of its row stay in a log for ever, for a client may stand between the two. So the log of a table whose rows come
 * and go grows for ever, and the one way to begin a shorter one is another handle: its clients fetch the rows anew. That must be worth it,
 * and must not come again soon. So a log must be several times what has to be fetched: by then each client that follows was sent as much
 * of the log, and rotation adds a small share to that, however fast the log grows. What is fetched again is known beforehand only as it
 * was the last time, by the first rows. If there are many more by now the next log may be the longer for it: a table that grows is rotated
 * once for each time that it has become several times as large.
 *
 * With a shape all go that depend on it, and what it depends on may go as its last dependant does: all of them are made again, and count.
 */
import type { Fork, Forkable } from '../../base/fork.ts';
import type { Handle } from '../../model/shape.ts';
import type { Message, Table } from '../../otp/process.ts';
import { DependencyGraph } from '../../shapes/dependency-graph.ts';

/** What is looked at of a shape. */
export interface GrowingShape {
  readonly handle: Handle;
  readonly dependsOn: readonly Handle[];
  readonly lineBytes: number;
  readonly snapshotBytes: number;
  readonly snapshot: { readonly state: string };
}

export interface OutgrownPorts extends Forkable<OutgrownPorts> {
  shapes(): Iterable<GrowingShape>;
  /** How many bytes may come yet, below zero where there are too many; minus infinity while no shape could be made at all. */
  roomBytes(): number;
}

/** A log is so many times the rows that have to be fetched anew. What compaction leaves of updates, at most some five times, is less. */
export const TIMES_ITS_ROWS = 8;
/** Each shape that ends with another one adds at least so much of the bound, for its query. */
const SHARE_OF_ANOTHER = 1 / 16;
/** All of them together no more than so many bounds, or it were none. */
const SHARE_OF_OTHERS_MAX = 7;
/** Of one look: their clients come back together. */
export const ROTATED_MAX = 10;

export class OutgrownLogs implements Table<'look'> {
  /** @param bytesMax no shorter log is rotated; infinite for none at all. */
  constructor(
    private readonly bytesMax: number,
    private readonly ports: OutgrownPorts,
  ) {}

  apply(): Message {
    const long = this.long();
    if (long.length === 0) return { type: 'logs.kept' };
    const roomBytes = this.ports.roomBytes();
    const replaceable = long.filter(({ lineBytes }) => roomBytes + lineBytes > 0); // What ends can be made again at once.
    if (replaceable.length === 0) return { type: 'logs.kept' };
    const bounds = this.bounds();
    const outgrown = replaceable.filter(({ handle, lineBytes }) => lineBytes >= bounds(handle));
    if (outgrown.length === 0) return { type: 'logs.kept' };
    const handles = outgrown
      .toSorted((left, right) => right.lineBytes - left.lineBytes)
      .slice(0, ROTATED_MAX)
      .map(({ handle }) => handle);
    return { type: 'logs.outgrown', handles, why: 'its log has outgrown its rows (--max-shape-log-size)' };
  }

  clone(fork: Fork): OutgrownLogs {
    return new OutgrownLogs(this.bytesMax, this.ports.clone(fork));
  }

  key(): string {
    return '';
  }

  /** By their own rows. Nearly always none: all shapes are looked at every few seconds, and nothing is made for one that is not long. */
  private long(): readonly GrowingShape[] {
    const long: GrowingShape[] = [];
    if (this.bytesMax === Infinity) return long;
    for (const shape of this.ports.shapes()) {
      const { lineBytes, snapshotBytes, snapshot } = shape;
      const bound = Math.max(this.bytesMax, TIMES_ITS_ROWS * snapshotBytes);
      if (lineBytes >= bound && snapshot.state === 'complete') long.push(shape);
    }
    return long;
  }

  /** By all that would be made again with a shape. */
  private bounds(): (handle: Handle) => number {
    const graph = new DependencyGraph();
    const snapshotBytes = new Map<Handle, number>();
    for (const shape of this.ports.shapes()) {
      graph.add(shape.handle, shape.dependsOn);
      snapshotBytes.set(shape.handle, shape.snapshotBytes);
    }
    return (handle) => {
      const made = [...madeAgainWith(handle, graph)].filter((each) => snapshotBytes.has(each));
      const bytes = made.reduce((sum, each) => sum + (snapshotBytes.get(each) ?? 0), 0);
      const others = Math.min((made.length - 1) * SHARE_OF_ANOTHER, SHARE_OF_OTHERS_MAX);
      return Math.max(this.bytesMax * (1 + others), TIMES_ITS_ROWS * bytes);
    };
  }
}

/** All that is made again when this one ends: itself, what depends on it, and what these depend on. */
function madeAgainWith(handle: Handle, graph: DependencyGraph): ReadonlySet<Handle> {
  const made = new Set([handle, ...graph.condemnedWith(handle)]);
  for (const each of made) for (const inner of graph.innerOf(each)) made.add(inner); // A set is walked to what is added on the way, too.
  return made;
}
