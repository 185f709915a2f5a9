/**
 * PostgresReports: what Postgres says of our slot, publication and lock, next to what we know ourselves. Asked at most once a second
 * however many look on, by the pool of the catalogue, and for a bounded time: while Postgres is away nobody waits for it.
 */
import { lsnToPostgres, LSN_ZERO, type Lsn } from '../../model/lsn.ts';
import type { PostgresFacts, PostgresSource } from '../../observer/sources.ts';
import { worldError } from '../../postgres/connection/database-error.ts';
import { PoolTimeoutError, type DatabasePool } from '../../postgres/connection/pool.ts';
import type { ServiceResources } from '../service-resources.ts';

const REST_MS = 1_000;
const ANSWER_MS_MAX = 3_000;
const TABLES_MAX = 500;

const REPORT = `
  SELECT current_setting('server_version') AS version,
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS current_lsn,
         slot.active, slot.restart_lsn, slot.confirmed_flush_lsn, slot.wal_status, slot.safe_wal_size::float8 AS safe_bytes,
         CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), slot.restart_lsn)::float8 END AS retained_bytes,
         (SELECT count(*)::int FROM pg_publication_tables WHERE pubname = $2) AS table_count,
         ARRAY(SELECT format('%I.%I', schemaname, tablename) FROM pg_publication_tables WHERE pubname = $2 ORDER BY 1 LIMIT ${TABLES_MAX})
           AS tables
  FROM (SELECT) AS here LEFT JOIN pg_replication_slots AS slot ON slot.slot_name = $1`;

const HOLDER = `
  SELECT locks.pid, activity.application_name, host(activity.client_addr) AS client_address,
         (extract(epoch FROM activity.backend_start) * 1000)::float8 AS since_ms
  FROM pg_locks AS locks LEFT JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
  WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1
    AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((locks.classid::bigint << 32) | locks.objid::bigint) = hashtext($1)::bigint
  LIMIT 1`;

interface ReportRow {
  readonly version: string;
  readonly current_lsn: string | null;
  readonly active: boolean | null;
  readonly restart_lsn: string | null;
  readonly confirmed_flush_lsn: string | null;
  readonly wal_status: string | null;
  readonly safe_bytes: number | null;
  readonly retained_bytes: number | null;
  readonly table_count: number;
  readonly tables: readonly string[];
}

interface HolderRow {
  readonly pid: number;
  readonly application_name: string | null;
  readonly client_address: string | null;
  readonly since_ms: number | null;
}

interface Answer {
  readonly report: ReportRow | undefined;
  readonly holder: HolderRow | undefined;
  readonly error: string | undefined;
}

const NO_ANSWER: Answer = { report: undefined, holder: undefined, error: undefined };

export class PostgresReports implements PostgresSource {
  private asked: { readonly atMs: number; readonly answer: Promise<Answer> } | undefined;
  private last: { readonly atMs: number; readonly answer: Answer } | undefined;

  /** @param processedLsn up to where all shapes have come. */
  constructor(
    private readonly resources: Pick<ServiceResources, 'database' | 'storage' | 'world'>,
    private readonly processedLsn: () => Lsn | undefined,
  ) {}

  /** WAL that the slot keeps, if Postgres was asked lately. */
  get retainedBytes(): number | undefined {
    const { last } = this;
    const isRecent = last !== undefined && last.atMs > this.nowMs - 5 * REST_MS;
    return isRecent ? (last.answer.report?.retained_bytes ?? undefined) : undefined;
  }

  async view(): Promise<PostgresFacts> {
    const { report, holder, error } = await this.answer();
    const { database } = this.resources;
    const { host, port, database: name, user } = database.target;
    return {
      database: { host, port, name, user },
      slot: {
        name: database.slot,
        isTemporary: database.isSlotTemporary,
        isActive: report?.active ?? null,
        restartLsn: report?.restart_lsn ?? null,
        confirmedLsn: report?.confirmed_flush_lsn ?? null,
        walStatus: report?.wal_status ?? null,
        retainedBytes: report?.retained_bytes ?? null,
        safeBytes: report?.safe_bytes ?? null,
      },
      lsns: this.lsns(report),
      publication: { name: database.publication, tables: report?.tables ?? null, tableCount: report?.table_count ?? null },
      pools: this.pools(),
      holder: holder === undefined ? null : holderOf(holder),
      serverVersion: report?.version ?? null,
      error: error ?? null,
    };
  }

  private lsns(report: ReportRow | undefined): PostgresFacts['lsns'] {
    const { log } = this.resources.storage;
    return {
      received: told(log.lastCommitLsn),
      durable: told(log.durableLsn),
      acknowledged: told(log.heldLsn),
      processed: told(this.processedLsn()),
      current: report?.current_lsn ?? null,
    };
  }

  private pools(): PostgresFacts['pools'] {
    const { adminPool, snapshotPool, movePool, subsetPool } = this.resources.database;
    const named = { admin: adminPool, snapshots: snapshotPool, moves: movePool, subsets: subsetPool };
    return Object.entries(named).map(([name, { max, isUp, counts }]: [string, DatabasePool]) => ({ name, max, isUp, ...counts }));
  }

  private answer(): Promise<Answer> {
    if (this.asked !== undefined && this.asked.atMs > this.nowMs - REST_MS) return this.asked.answer;
    this.asked = { atMs: this.nowMs, answer: this.ask() };
    return this.asked.answer;
  }

  private async ask(): Promise<Answer> {
    const answer = await this.inTime(this.query());
    this.last = { atMs: this.nowMs, answer };
    return answer;
  }

  private async query(): Promise<Answer> {
    const { adminPool, slot, publication } = this.resources.database;
    try {
      const [report] = await adminPool.query<ReportRow & Record<string, unknown>>(REPORT, [slot, publication]);
      const [holder] = await adminPool.query<HolderRow & Record<string, unknown>>(HOLDER, [slot]);
      return { report, holder, error: undefined };
    } catch (error) {
      const refusal = error instanceof PoolTimeoutError ? error : worldError(error);
      if (refusal === undefined) throw error;
      return { ...NO_ANSWER, error: refusal.message };
    }
  }

  private inTime(answer: Promise<Answer>): Promise<Answer> {
    const { clock } = this.resources.world;
    return new Promise((resolve, reject) => {
      const late = { ...NO_ANSWER, error: `Postgres did not answer within ${ANSWER_MS_MAX} ms` };
      const timer = clock.setTimer(() => resolve(late), ANSWER_MS_MAX);
      answer.then(resolve, reject).finally(() => clock.clearTimer(timer));
    });
  }

  private get nowMs(): number {
    return this.resources.world.clock.nowMs();
  }
}

function holderOf({ pid, application_name, client_address, since_ms }: HolderRow): NonNullable<PostgresFacts['holder']> {
  return { backendPid: pid, applicationName: application_name ?? '', clientAddress: client_address, sinceMs: since_ms };
}

function told(lsn: Lsn | undefined): string | null {
  return lsn === undefined || lsn === LSN_ZERO ? null : lsnToPostgres(lsn);
}
