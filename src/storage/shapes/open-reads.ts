/**
 * OpenReads: who has begun to read a log and is not at the end of what was decided for him. A shape may end meanwhile, for no fault of its
 * bytes: then he reads on, for a body that breaks off is an error to its client, and 409 to its next request is none. What he reads stays
 * for that long, and no longer than a bound: he may be slow.
 */
import type { EntryRun } from '../../model/log-entry.ts';
import type { Handle } from '../../model/shape.ts';
import { ShapeGoneError } from '../errors.ts';

export class OpenReads {
  private count = 0;
  private isOver = false;
  private cutOff = false;
  private left: (() => void) | undefined;

  /** @param unused called whenever nobody reads any more, and the shape has not ended: nothing is lost with it then. */
  constructor(
    private readonly handle: Handle,
    private readonly unused: () => void = () => {},
  ) {}

  /** Whoever reads breaks off at his next step. */
  get areCut(): boolean {
    return this.cutOff;
  }

  /** @throws {ShapeGoneError} when no read begins any more. */
  begin(): void {
    if (this.isOver) throw new ShapeGoneError(this.handle);
    this.count += 1;
  }

  finish(): void {
    this.count -= 1;
    if (this.count > 0) return;
    this.leave();
    if (!this.isOver) this.unused();
  }

  /** From now on none begins. */
  end(): void {
    this.isOver = true;
  }

  /** None begins, and those that have begun break off. */
  cut(): void {
    this.isOver = true;
    this.cutOff = true;
    this.leave();
  }

  /** @param left called once, when none is open or they are cut: now, perhaps. */
  whenLeft(left: () => void): void {
    this.left = left;
    if (this.count === 0 || this.cutOff) this.leave();
  }

  private leave(): void {
    const { left } = this;
    this.left = undefined;
    left?.();
  }
}

/** @param readsOf asked when the first run is. @throws {ShapeGoneError} at once, when no read begins any more. */
export async function* countedRuns(readsOf: () => OpenReads, runs: AsyncIterable<EntryRun>): AsyncGenerator<EntryRun> {
  const reads = readsOf();
  reads.begin();
  try {
    yield* runs;
  } finally {
    reads.finish();
  }
}
