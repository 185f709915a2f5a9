/**
 * HeldLock: the session of ours that has the advisory lock. The one that has the lock says so here; whoever is about to do what only its
 * holder may asks Postgres, in the same statement, whether that is still so. For this service may be the last to hear that it is not.
 */
import { DatabaseUnreachableError } from './database-error.ts';
import { advisoryLockSql } from './lock-holder.ts';
import { quoteText } from './sql-text.ts';

export class HeldLock {
  private present: number | undefined;
  private last: number | undefined;

  /** Of Postgres; undefined while we have no such session, as far as we know. */
  get process(): number | undefined {
    return this.present;
  }

  set process(process: number | undefined) {
    this.present = process;
    this.last = process ?? this.last;
  }

  /** Postgres may still have the session of ours that had the lock last, though we have lost it. */
  wasOurs(process: number): boolean {
    return process === this.last;
  }
}

/** Another session may have the lock by now: the connection that had it is gone, or about to be found gone. */
export class LockLostError extends DatabaseUnreachableError {
  override readonly code = 'lock_lost';
}

/** A condition: the lock of `slot` is ours, at the moment in which the statement is run. */
export function isHeldSql({ process }: HeldLock, slot: string): string {
  if (process === undefined) return 'false';
  return `EXISTS (SELECT FROM pg_catalog.pg_locks AS held WHERE held.pid = ${process} AND ${advisoryLockSql(quoteText(slot))})`;
}
