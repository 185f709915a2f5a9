/** WorldFork: for tables that go over to the copy of a world, whichever world they were made over. */
import { Fork } from '../../../src/base/fork.ts';
import { invariant } from '../../../src/base/invariant.ts';

export class WorldFork<Kind> extends Fork {
  /** @param world of the fork; it is copied when the first table asks for it. */
  constructor(readonly world: () => Kind) {
    super();
  }

  /** @param fork one of the checker's, which are the only ones that copy such a table. */
  static worldOf<Kind>(fork: Fork): Kind {
    invariant(fork instanceof WorldFork, 'a table over a world is copied by the checker');
    return fork.world() as Kind;
  }
}
