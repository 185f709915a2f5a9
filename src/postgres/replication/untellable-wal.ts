/**
 * UntellableWal: a place of the WAL at which Postgres ends each stream with the same error, whoever asks: a text that UTF-8 has no
 * characters for, in a database that takes any bytes, or a row that is larger than what it can send. Nothing comes behind it, and the WAL
 * is kept for it until somebody gives the slot up.
 *
 * That ends all shapes, so it must be certain: the error is one of what is told and of nothing around it, and several streams in a row
 * have come to it without a transaction more.
 */
import type { Lsn } from '../../model/lsn.ts';
import { worldError } from '../connection/database-error.ts';

const ATTEMPTS_MIN = 3;
/** Characters that are none, or have no counterpart; a message that is too large. */
const UNTELLABLE_STATE = /^(?:22021|22P05|54000)$/;
/** The same of a single value, for which Postgres has no code. */
const TOO_LARGE = 'invalid memory alloc request size';

export class UntellableWal {
  private met: { readonly message: string; readonly lastCommitLsn: Lsn; readonly attempts: number } | undefined;

  /** Postgres's words once it is certain. */
  get error(): string | undefined {
    return this.met !== undefined && this.met.attempts >= ATTEMPTS_MIN ? this.met.message : undefined;
  }

  /** A stream has ended. @param lastCommitLsn of the last transaction that any stream has brought. */
  note(error: Error, lastCommitLsn: Lsn): void {
    const message = untellableIn(error);
    const attempts = message === this.met?.message && lastCommitLsn === this.met?.lastCommitLsn ? this.met.attempts + 1 : 1;
    this.met = message === undefined ? undefined : { message, lastCommitLsn, attempts };
  }

  /** The next stream begins behind it. */
  forget(): void {
    this.met = undefined;
  }
}

function untellableIn(error: Error): string | undefined {
  const refused = worldError(error);
  if (refused === undefined) return undefined;
  return UNTELLABLE_STATE.test(refused.code) || refused.message.startsWith(TOO_LARGE) ? refused.message : undefined;
}
