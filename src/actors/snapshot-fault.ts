/** Why a shape got no snapshot, or cannot go on, in the words that a client may be told. It is deleted; asking again makes a new one. */
export interface SnapshotFault {
  readonly code: string;
  readonly message: string;
  /** As HTTP tells it: 400 the filter has an error in a row, 503 try again later, 409 ask anew for the changed table, 500 unclassified. */
  readonly status?: 400 | 409 | 500 | 503;
  /** Who has the lock that was waited for, in words for the log: no client is told of others. */
  readonly holders?: readonly string[];
}

/** Why a shape is deleted whose filter has an error in a row. */
export const FILTER_FAILED = 'filterFailed';

/** @param error of Postgres, or ours in its place. */
export function filterFault({ code, message }: { readonly code: string; readonly message: string }): SnapshotFault {
  return { code, message, status: 400 };
}

export const NO_CONNECTION: SnapshotFault = {
  code: 'connection_not_available',
  message: 'Database connection not available',
  status: 503,
};

/** The disk takes nothing at present: whoever watches over it tells of it, and when that is over. */
export const STORAGE_REFUSED_CODE = 'storage_refused';

/** The process that takes it died, or was refused. */
export const SNAPSHOT_GIVEN_UP: SnapshotFault = {
  code: 'snapshot_failed',
  message: 'The snapshot was given up before it was complete',
  status: 500,
};
