/**
 * RelationLots: what is to be done to which tables, and in which lots. A table stands in it under a key.
 *
 * Only one lot is in hand at a time: two alterations would wait for each other's locks. What Postgres refused together is
 * tried by itself, and after what was not tried yet: a table that is hard to get keeps nobody else waiting for long.
 */
import { invariant } from '../../base/invariant.ts';

export type RelationWork = 'review' | 'add' | 'drop';

export interface RelationLot {
  readonly work: RelationWork;
  readonly keys: ReadonlySet<string>;
}

/** An alteration is one transaction, and Postgres bounds how many locks a transaction may hold. */
const AT_ONCE_MAX: Readonly<Record<RelationWork, number>> = { review: 1_000, add: 100, drop: 100 };

/** Reviews come first: a table that is added while it is in doubt would look as if it had been published all the time. */
const ORDER: readonly RelationWork[] = ['review', 'add', 'drop'];

export class RelationLots {
  private readonly together = emptyQueues();
  private readonly single = emptyQueues();
  private inHand: RelationLot | undefined;

  /** A table that is to be dropped is needed by nobody, and one that is needed is not to be dropped. */
  put(work: RelationWork, key: string): void {
    for (const other of ORDER) if ((other === 'drop') !== (work === 'drop')) this.cancel(other, key);
    if (!this.single[work].has(key)) this.together[work].add(key);
  }

  /** In a lot by itself. */
  putSingle(work: RelationWork, key: string): void {
    this.single[work].add(key);
  }

  /** Work that is in hand goes on. */
  cancel(work: RelationWork, key: string): void {
    this.together[work].delete(key);
    this.single[work].delete(key);
  }

  forget(key: string): void {
    for (const work of ORDER) this.cancel(work, key);
  }

  isInHand(key: string): boolean {
    return this.inHand?.keys.has(key) === true;
  }

  queued(work: RelationWork): readonly string[] {
    return [...this.together[work], ...this.single[work]];
  }

  /** Takes the next lot in hand. */
  take(): RelationLot | undefined {
    invariant(this.inHand === undefined, 'one lot is in hand at a time');
    for (const work of ORDER) {
      const keys = takenFrom(this.together[work], AT_ONCE_MAX[work]) ?? takenFrom(this.single[work], 1);
      if (keys !== undefined) return (this.inHand = { work, keys });
    }
    return undefined;
  }

  /** @returns what was in hand. */
  finish(): RelationLot {
    const { inHand } = this;
    invariant(inHand !== undefined, 'what ends was begun');
    this.inHand = undefined;
    return inHand;
  }

  clone(): RelationLots {
    const copy = new RelationLots();
    for (const work of ORDER) {
      for (const key of this.together[work]) copy.together[work].add(key);
      for (const key of this.single[work]) copy.single[work].add(key);
    }
    copy.inHand = this.inHand;
    return copy;
  }

  key(): readonly unknown[] {
    const queued = ORDER.map((work) => [[...this.together[work]], [...this.single[work]]]);
    return [queued, this.inHand === undefined ? null : [this.inHand.work, ...this.inHand.keys]];
  }
}

function emptyQueues(): Readonly<Record<RelationWork, Set<string>>> {
  return { review: new Set(), add: new Set(), drop: new Set() };
}

function takenFrom(queue: Set<string>, atOnceMax: number): ReadonlySet<string> | undefined {
  if (queue.size === 0) return undefined;
  const taken = new Set<string>();
  for (const key of queue) {
    if (taken.size === atOnceMax) break;
    queue.delete(key);
    taken.add(key);
  }
  return taken;
}
