/** Interner: a number for each different thing, so that states are compared and kept as a few integers. */
import { invariant } from '../../../src/base/invariant.ts';

export class Interner<Kind> {
  private readonly ids = new Map<string, number>();
  private readonly kinds: Kind[] = [];

  /** @param max how many different ones there may be. */
  constructor(private readonly max: number) {}

  get count(): number {
    return this.kinds.length;
  }

  /**
   * @param key canonical text: equal for things that nobody can tell apart.
   * @param make is called for the first with its key; all others of it are that one from then on.
   */
  idOf(key: string, make: () => Kind): number {
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = this.kinds.length;
    invariant(id < this.max, `there are at most ${this.max} different ones`);
    this.ids.set(key, id);
    this.kinds.push(make());
    return id;
  }

  at(id: number): Kind {
    const kind = this.kinds[id];
    invariant(kind !== undefined, 'what has a number was interned');
    return kind;
  }
}
