/** Why a shape got no snapshot, in the words that a client may be told. The shape is deleted; asking again makes a new one. */
export interface SnapshotFault {
  readonly code: string;
  readonly message: string;
  /** As HTTP tells it: 503 try again later, 409 ask anew for the changed table, 500 unclassified. */
  readonly status?: 409 | 500 | 503;
}

export const NO_CONNECTION: SnapshotFault = {
  code: 'connection_not_available',
  message: 'Database connection not available',
  status: 503,
};

/** The process that takes it died, or was refused. */
export const SNAPSHOT_GIVEN_UP: SnapshotFault = {
  code: 'snapshot_failed',
  message: 'The snapshot was given up before it was complete',
  status: 500,
};
