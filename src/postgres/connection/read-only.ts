/** What Postgres has against a statement of a session that may only read, and does not say: by which setting that is so. */
import type { WorldError } from './database-error.ts';

const READ_ONLY = '25006';
/** A standby refuses in other words, and no setting of it helps. */
const OF_SESSION = /in a read-only transaction$/;

/**
 * @param error of a statement outside of a transaction that we have made one for reading.
 * @returns undefined where it is about something else.
 */
export function readOnlyMeaning({ code, message }: Pick<WorldError, 'code' | 'message'>): string | undefined {
  if (code !== READ_ONLY || !OF_SESSION.test(message)) return undefined;
  return 'default_transaction_read_only is on for the role, the database or the server, so nothing is made or altered until it is reset';
}
