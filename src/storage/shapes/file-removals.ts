/**
 * FileRemovals: what is to go from the disk, one thing after the other, while nobody waits for it. What the disk refuses is done when it is
 * tried again. What the device alone fails of one shape's files is left for later: now and then, and by the next start, it is tried again.
 */
import type { Clock } from '../../base/clock.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import { errorOf } from '../errors.ts';
import type { OwnFaults } from './own-faults.ts';

export interface Removal {
  /** What was done of it before needs not be done again. */
  readonly run: () => Promise<unknown>;
  /** Of how many shapes there are files left, when it was refused. */
  readonly shapes: number;
}

/** So long what was left stays before it is tried again. */
export const LEFT_MS = 60_000;
/** So many shapes are remembered, and those of one removal more; the next start finds all that there are. */
const LEFT_MAX = 1_000;

export class FileRemovals {
  private inOrder: Promise<void> = Promise.resolve();
  private atOnce: Promise<void> = Promise.resolve();
  /** Until it is done, also while it is tried again. */
  private readonly left = new Set<Removal>();
  private readonly triedAgain = new Set<Removal>();
  /** Since something was first left, or tried again. */
  private leftSinceMs = 0;
  private fault: Error | undefined;

  constructor(
    private readonly standing: Pick<DiskStanding, 'insist'>,
    private readonly faults: Pick<OwnFaults, 'removing'>,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {}

  /** What failed for good: whoever owns the files must crash with it. What it left is removed by the next start. */
  get failure(): Error | undefined {
    return this.fault;
  }

  /** Of how many shapes files are left for later. */
  get leftCount(): number {
    return [...this.left].reduce((sum, { shapes }) => sum + shapes, 0);
  }

  add(removal: Removal): void {
    this.inOrder = this.inOrder.then(() => this.remove(removal));
  }

  /** Of what waits for none of those before it. */
  addAtOnce(removal: Removal): void {
    this.atOnce = this.atOnce.then(() => this.remove(removal));
  }

  /** Now and then: what was left is tried again when its time has come. */
  retry(): void {
    if (this.left.size === 0 || this.triedAgain.size > 0 || this.clock.nowMs() - this.leftSinceMs < LEFT_MS) return;
    this.leftSinceMs = this.clock.nowMs();
    for (const removal of this.left) {
      this.triedAgain.add(removal);
      this.add(removal);
    }
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all([this.inOrder, this.atOnce]);
  }

  private async remove(removal: Removal): Promise<void> {
    try {
      await this.standing.insist(async () => {
        if (await this.faults.removing(removal.run)) this.left.delete(removal);
        else this.leave(removal);
      });
    } catch (error) {
      this.fault ??= errorOf(error);
    } finally {
      this.triedAgain.delete(removal);
    }
  }

  private leave(removal: Removal): void {
    if (this.left.size === 0) this.leftSinceMs = this.clock.nowMs();
    if (this.leftCount < LEFT_MAX) this.left.add(removal);
  }
}

/** Some files of one shape. */
export function ofOne(run: () => Promise<unknown>): Removal {
  return { run, shapes: 1 };
}
