/**
 * Fork: one copy of a whole state, put together from copies of its parts, for a checker that goes back to it.
 *
 * Several parts may stand over one thing, as the tables of two processes do over the deliveries that one opens and the
 * other takes. Copied by each of them it would be two things, and the one would never read what the other writes. So
 * whatever is shared is copied once for each fork.
 */
import { InvariantError } from './invariant.ts';

/** Which one it is, is all that matters of it. */
export class Fork {
  /** Tells a fork from any other object, by its type. */
  protected readonly isFork = true;
}

/** What can be copied for a fork. */
export interface Forkable<Kind> {
  /** A copy: what is done to one of the two never shows in the other. */
  clone(fork: Fork): Kind;
}

/** The copies of one thing that is shared. */
export class Copies<Kind extends object> {
  private readonly byFork = new WeakMap<Fork, Kind>();

  /** The copy of this fork; it is made by `make` when it is asked for first. */
  of(fork: Fork, make: () => Kind): Kind {
    const known = this.byFork.get(fork);
    if (known !== undefined) return known;
    const made = make();
    this.byFork.set(fork, made);
    return made;
  }
}

/** @returns a `clone` for what nobody can copy, such as a disk, a database, or a client that waits: sharing it would be no copy. */
export function uncopied(what: string): () => never {
  return () => {
    throw new InvariantError(`${what} cannot be copied`);
  };
}
