/**
 * ShownSnapshots: of each shape the newest snapshot that was read for a client which leaves out what that has seen. Rows that are read
 * later must be no older: what the client leaves out they would not make up for.
 */
import { seesAllOf, type PgSnapshot } from '../model/pg-snapshot.ts';

export class ShownSnapshots<Shape extends object> {
  private readonly newest = new WeakMap<Shape, PgSnapshot>();

  note(shape: Shape, pgSnapshot: PgSnapshot): void {
    const known = this.newest.get(shape);
    if (known === undefined || seesAllOf(known, pgSnapshot)) this.newest.set(shape, pgSnapshot);
  }

  /** Whether everything that was shown of the shape is seen. */
  areSeenBy(shape: Shape, pgSnapshot: PgSnapshot): boolean {
    const known = this.newest.get(shape);
    return known === undefined || seesAllOf(known, pgSnapshot);
  }
}
