/** Why an embedded Postgres could not be started; the message says what to do and may be shown to a user as it is. */
export type EmbeddedPostgresProblem =
  | 'no_binaries' // Nothing was done.
  | 'no_access' // As root: the other user cannot reach the folder. Nothing was started.
  | 'in_use' // Another living process has started the same cluster.
  | 'initdb_failed' // No cluster was made; the next start begins anew.
  | 'start_failed'; // The cluster is as it was.

export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';

  constructor(
    readonly code: EmbeddedPostgresProblem,
    message: string,
  ) {
    super(message);
  }
}
