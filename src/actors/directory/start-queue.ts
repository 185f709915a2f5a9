/**
 * StartQueue: shapes whose Consumer can be asked for, in the order in which they came to that: a plain one when it is entered,
 * an outer one when the last of its inner ones is live. Each is looked at again when its turn comes: it may be gone by then.
 */
import { Ring } from '../../base/ring.ts';
import type { Handle } from '../../model/shape.ts';
import type { DependentLives } from './dependent-lives.ts';
import type { ListedLog } from './directory-ports.ts';

export class StartQueue {
  private readonly startable = new Ring<Handle>();

  constructor(
    private readonly lives: DependentLives,
    original?: StartQueue,
  ) {
    for (const handle of original?.startable ?? []) this.startable.push(handle);
  }

  /** @returns the handle that served its definition until now. */
  enter(log: ListedLog): Handle | undefined {
    const before = this.lives.enter(log);
    this.add(log.handle);
    return before;
  }

  /** Changes nothing for a shape that has yet to wait for others: it is added with the last of them. */
  add(handle: Handle): void {
    if (this.lives.isStartable(handle)) this.startable.push(handle);
  }

  take(): Handle | undefined {
    let handle = this.startable.shift();
    while (handle !== undefined && !this.lives.isStartable(handle)) handle = this.startable.shift();
    return handle;
  }

  key(): readonly Handle[] {
    return [...this.startable];
  }
}
