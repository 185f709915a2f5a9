import type { LinkValues, LinkValuesChange } from '../../src/actors/link-values.ts';
import type { Fork } from '../../src/base/fork.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { Message, Pid, Table } from '../../src/otp/process.ts';
import { WorldFork } from './checker/world-fork.ts';

export interface WithValues {
  /** Of each Materializer. */
  readonly values: Map<Pid, LinkValues>;
}

/** The table of a Materializer lies in the world: whoever depends on the values reads it there. */
export class SharedValues implements Table<LinkValuesChange> {
  constructor(
    private readonly world: WithValues,
    private readonly owner: Pid,
  ) {}

  apply(change: LinkValuesChange): Message | undefined {
    const values = this.world.values.get(this.owner);
    invariant(values !== undefined, 'a Materializer that lives has its values');
    return values.apply(change);
  }

  clone(fork: Fork): SharedValues {
    return new SharedValues(WorldFork.worldOf(fork), this.owner);
  }

  key(): string {
    return this.owner;
  }

  close(): void {
    this.world.values.get(this.owner)?.close();
    this.world.values.delete(this.owner);
  }
}
