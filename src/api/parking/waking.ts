/**
 * Waking: those who are woken together are so many that to answer them takes longer than anybody else may wait. So a part of them has its
 * turn at a time; and of several crowds each has a part in every turn, so that one client of a shape does not wait for the thousands of
 * another.
 *
 * Announcements come from within a process that must not fail over a reader: even the first part has its turn a moment later.
 */
import type { DueQueue } from '../../base/due-queue.ts';
import { Ring } from '../../base/ring.ts';
import { nextTurn } from '../../base/turn.ts';
import type { Parked } from './parked.ts';
import type { Wake } from './wake.ts';

/** An answer takes some 30 µs. */
const IN_TURN_MAX = 256;
/** Of one crowd, before it is the next one's turn. */
const OF_CROWD_MAX = 64;

interface Crowd<T> {
  readonly queue: DueQueue<Parked<T>>;
  readonly wake: Wake<T>;
}

export class Waking<T> {
  private readonly crowds = new Ring<Crowd<T>>();
  private isUnderWay = false;

  /** @param queue nobody joins it any more, and nobody leaves it but to be woken. */
  begin(queue: DueQueue<Parked<T>>, wake: Wake<T>): void {
    this.crowds.push({ queue, wake });
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    void Promise.resolve().then(() => this.go());
  }

  private go(): void {
    let left = IN_TURN_MAX;
    for (let crowd = this.crowds.shift(); crowd !== undefined; crowd = left > 0 ? this.crowds.shift() : undefined) {
      left -= wakeSome(crowd, Math.min(left, OF_CROWD_MAX));
      if (crowd.queue.size > 0) this.crowds.push(crowd);
    }
    this.isUnderWay = this.crowds.length > 0;
    if (this.isUnderWay) nextTurn(() => this.go());
    else this.crowds.clear();
  }
}

/** @returns how many it were. */
function wakeSome<T>({ queue, wake }: Crowd<T>, countMax: number): number {
  for (let count = 0; count < countMax; count += 1) {
    const parked = queue.shift();
    if (parked === undefined) return count;
    parked.wake(wake);
  }
  return countMax;
}
