/**
 * PostgresReports: what Postgres says of our slot, publication and lock, next to what we know ourselves. Asked at most once a second
 * however many look on, by the pool of the catalogue, and for a bounded time: while Postgres is away nobody waits for it.
 */
import { lsnToPostgres, LSN_ZERO, type Lsn } from '../../model/lsn.ts';
import type { PostgresFacts, PostgresSource } from '../../observer/sources.ts';
import type { DatabasePool } from '../../postgres/connection/pool.ts';
import { slotReport, type HolderRow, type ReportRow, type SlotReport } from '../../postgres/replication/slot-report.ts';
import type { ServiceResources } from '../service-resources.ts';
import { KeptAnswer } from './kept-answer.ts';

/** At most once a second, whoever asks. */
const TIMES = { keptMs: 1_000, waitMsMax: 3_000 };
/** So old a number may be that is shown as the present one. */
const RECENT_MS = 5_000;

const LATE: SlotReport = { report: undefined, holder: undefined, error: `Postgres did not answer within ${TIMES.waitMsMax} ms` };

export class PostgresReports implements PostgresSource {
  private readonly answer: KeptAnswer<SlotReport>;
  private last: { readonly atMs: number; readonly report: ReportRow | undefined } | undefined;

  /** @param processedLsn up to where all shapes have come. */
  constructor(
    private readonly resources: Pick<ServiceResources, 'database' | 'storage' | 'world'>,
    private readonly processedLsn: () => Lsn | undefined,
  ) {
    this.answer = new KeptAnswer(resources.world.clock, TIMES, () => this.ask());
  }

  /** WAL that the slot keeps, if Postgres was asked lately. */
  get retainedBytes(): number | undefined {
    const { last } = this;
    const isRecent = last !== undefined && last.atMs > this.resources.world.clock.nowMs() - RECENT_MS;
    return isRecent ? (last.report?.retained_bytes ?? undefined) : undefined;
  }

  async view(): Promise<PostgresFacts> {
    const { report, holder, error } = (await this.answer.get()) ?? LATE;
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

  private async ask(): Promise<SlotReport> {
    const { database, world } = this.resources;
    const answer = await slotReport(database.adminPool, database.slot, database.publication);
    this.last = { atMs: world.clock.nowMs(), report: answer.report };
    return answer;
  }
}

function holderOf({ pid, application_name, client_address, since_ms }: HolderRow): NonNullable<PostgresFacts['holder']> {
  return { backendPid: pid, applicationName: application_name ?? '', clientAddress: client_address, sinceMs: since_ms };
}

function told(lsn: Lsn | undefined): string | null {
  return lsn === undefined || lsn === LSN_ZERO ? null : lsnToPostgres(lsn);
}
