/** Forms: what Postgres says of the slot, and who holds the lock. docs/observer.md says what holds for all of them. */
import type { ProcessLink } from './processes.ts';
import type { PinnedBy } from './shapes.ts';

/** `/api/postgres`. What Postgres itself says is asked at most once a second, and null while it is away. */
export interface PostgresView {
  readonly atMs: number;
  /** Without a password. */
  readonly database: { readonly host: string; readonly port: number; readonly name: string; readonly user: string };
  /** Of the processes to Postgres, by their names. */
  readonly connections: readonly ProcessLink[];
  readonly slot: {
    readonly name: string;
    readonly isTemporary: boolean;
    /** What Postgres says of it; null while it cannot be asked. */
    readonly isActive: boolean | null;
    readonly restartLsn: string | null;
    readonly confirmedLsn: string | null;
    readonly walStatus: string | null;
    /** WAL that it keeps, and how much it may, in bytes. */
    readonly retainedBytes: number | null;
    readonly safeBytes: number | null;
  };
  /** Ours: the last commit taken from the stream, the last that is durable, what Postgres was told, what all shapes have. */
  readonly lsns: {
    readonly received: string | null;
    readonly durable: string | null;
    readonly acknowledged: string | null;
    readonly processed: string | null;
    /** Postgres's, when it was asked. */
    readonly current: string | null;
  };
  readonly publication: {
    readonly name: string;
    /** At most 500. Null while it cannot be asked. */
    readonly tables: readonly string[] | null;
    readonly tableCount: number | null;
  };
  readonly pools: readonly PoolView[];
  readonly lock: {
    /** `held`, or what it does for it. */
    readonly state: string;
    /** Who holds it, by Postgres; null while it cannot be asked, or when nobody does. */
    readonly holder: LockHolder | null;
  };
  /** The shape that is furthest behind: it holds our transaction log back, and not the slot. Null: nobody. */
  readonly pinnedBy: PinnedBy | null;
  readonly serverVersion: string | null;
  /** Why Postgres could not be asked. */
  readonly error: string | null;
}

export interface PoolView {
  readonly name: string;
  readonly max: number;
  readonly isUp: boolean;
  readonly open: number;
  readonly idle: number;
  /** Who waits for a connection. */
  readonly waiting: number;
}

export interface LockHolder {
  readonly backendPid: number;
  readonly applicationName: string;
  readonly clientAddress: string | null;
  readonly sinceMs: number | null;
  readonly isOurs: boolean;
}
