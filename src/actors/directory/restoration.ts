/**
 * Restoration: how the stored shapes come back with a directory that begins. All are entered first, some at a time, since an inner
 * one may come after those that depend on it. Then those are condemned that cannot come back, or that nobody needs: what is left can
 * be read. Only then is the first Consumer asked for.
 */
import { invariant } from '../../base/invariant.ts';
import { bornMicros, type Handle } from '../../model/shape.ts';
import { DEPENDENCY_GONE } from '../consumer/consumer-setup.ts';
import type { DependentLives } from './dependent-lives.ts';
import type { ListedLog, ListedLogs } from './directory-ports.ts';
import type { StartQueue } from './start-queue.ts';

/** Stored shapes that one step enters: some two milliseconds of work, in which nobody else has a turn. */
export const ENTERED_MAX = 500;

/** Why an inner shape goes that no client has asked for. */
export const FORSAKEN = 'no shape depends on it any more';

export class Restoration {
  /** Every stored shape is back, or gone. */
  isDone: boolean;
  /** Those that are still to be entered, the next one last; undefined until the first step. */
  private unentered: Handle[] | undefined;
  /** Entered ones without a whole snapshot, which cannot be brought back. */
  private halves: Handle[];
  /** Entered ones of which a newer one serves the definition: they were condemned, and not gone when the directory before us ended. */
  private superseded: Handle[];

  constructor(
    private readonly shapeLogs: ListedLogs,
    private readonly lives: DependentLives,
    private readonly starts: StartQueue,
    private readonly enteredMax: number,
    original?: Restoration,
  ) {
    this.isDone = original?.isDone ?? false;
    this.unentered = original?.unentered && [...original.unentered];
    this.halves = [...(original?.halves ?? [])];
    this.superseded = [...(original?.superseded ?? [])];
  }

  /** There are stored shapes that the lives do not have yet. */
  private get isEntering(): boolean {
    return this.unentered !== undefined && this.unentered.length > 0;
  }

  /** @returns whether more are left to be entered. */
  enterMore(): boolean {
    if (this.unentered?.length === 0) return false;
    this.unentered ??= youngestFirst(this.shapeLogs.all());
    for (const handle of this.unentered.splice(-this.enteredMax).reverse()) this.enter(handle);
    if (!this.isEntering) this.condemnUnfit();
    return this.isEntering;
  }

  key(): readonly unknown[] {
    return [this.isDone, this.unentered ?? null, this.halves, this.superseded];
  }

  private enter(handle: Handle): void {
    const stored = this.shapeLogs.get(handle);
    invariant(stored !== undefined, `nobody deletes a stored shape before it is entered: ${handle}`);
    const older = this.starts.enter(stored);
    if (older !== undefined) this.superseded.push(older);
    if (stored.snapshot.state !== 'complete') this.halves.push(handle);
  }

  private condemnUnfit(): void {
    const { lives } = this;
    // Who wrote a snapshot ended with the processes before us, and half of one can only be begun anew.
    lives.condemn(this.halves, { why: 'its snapshot was not complete', isTold: false });
    lives.condemn(this.superseded, { why: 'another shape has taken its place', isTold: false });
    this.halves = [];
    this.superseded = [];
    lives.condemn(lives.bereft, { why: DEPENDENCY_GONE, isTold: false });
    lives.lookForForsaken();
    this.condemnForsaken();
    lives.forgetUnheard(); // None of them had a Consumer, and nobody waits for one.
  }

  /** Layer by layer, inwards. */
  private condemnForsaken(): void {
    for (let taken = this.lives.takeForsaken(); taken.length > 0; taken = this.lives.takeForsaken()) {
      this.lives.condemn(taken, { why: FORSAKEN, isTold: false });
    }
  }
}

/** The oldest is entered first, so that the newest of a definition is the one that is found. */
function youngestFirst(logs: Iterable<ListedLog>): Handle[] {
  const born = Array.from(logs, ({ handle }) => ({ handle, micros: bornMicros(handle) }));
  return born.sort((left, right) => left.micros - right.micros).reverse().map(({ handle }) => handle);
}
