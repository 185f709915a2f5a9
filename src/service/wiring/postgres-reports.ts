/**
 * PostgresReports: what Postgres says of our slot, publication and lock, next to what we know ourselves. Asked at most once a second
 * however many look on, by the pool of the catalogue, and for a bounded time: while Postgres is away nobody waits for it.
 */
import { lsnToPostgres, LSN_ZERO, type Lsn } from '../../model/lsn.ts';
import type { PostgresFacts, PostgresSource } from '../../observer/sources.ts';
import { lockHolder, type LockHolder } from '../../postgres/connection/lock-holder.ts';
import type { DatabasePool } from '../../postgres/connection/pool.ts';
import { retainedBytesOf, slotReport, type ReportRow, type SlotReport } from '../../postgres/replication/slot-report.ts';
import type { ServiceResources } from '../service-resources.ts';
import { KeptAnswer } from './kept-answer.ts';

/** At most once a second, whoever asks. */
const TIMES = { keptMs: 1_000, waitMsMax: 3_000 };
/** Of a number that is drawn nobody waits for the newest. */
const RETAINED_TIMES = { keptMs: 1_000, waitMsMax: 100 };
/** So old a number may be that is shown as the present one. */
const RECENT_MS = 5_000;

interface Answer extends SlotReport {
  readonly holder: LockHolder | undefined;
}

const LATE: Answer = { report: undefined, holder: undefined, error: `Postgres did not answer within ${TIMES.waitMsMax} ms` };

export class PostgresReports implements PostgresSource {
  private readonly answer: KeptAnswer<Answer>;
  private readonly retained: KeptAnswer<number>;
  private last: { readonly atMs: number; readonly retainedBytes: number | undefined } | undefined;

  /** @param processedLsn up to where all shapes have come. */
  constructor(
    private readonly resources: Pick<ServiceResources, 'database' | 'storage' | 'world'>,
    private readonly processedLsn: () => Lsn | undefined,
  ) {
    this.answer = new KeptAnswer(resources.world.clock, TIMES, () => this.ask());
    this.retained = new KeptAnswer(resources.world.clock, RETAINED_TIMES, () => this.askRetained());
  }

  /** WAL that the slot keeps, if Postgres was asked lately. */
  get retainedBytes(): number | undefined {
    const { last } = this;
    const isRecent = last !== undefined && last.atMs > this.resources.world.clock.nowMs() - RECENT_MS;
    return isRecent ? last.retainedBytes : undefined;
  }

  async lookAtRetained(): Promise<void> {
    await this.retained.get();
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

  private async ask(): Promise<Answer> {
    const { adminPool, slot, publication } = this.resources.database;
    const answer = await slotReport(adminPool, slot, publication);
    const holder = answer.error === undefined ? await lockHolder(adminPool, slot) : undefined;
    return { ...answer, holder: holder === 'nobody' ? undefined : holder };
  }

  private async askRetained(): Promise<number | undefined> {
    const { database: { adminPool, slot }, world } = this.resources;
    const retainedBytes = await retainedBytesOf(adminPool, slot);
    this.last = { atMs: world.clock.nowMs(), retainedBytes };
    return retainedBytes;
  }
}

function holderOf({ pid, application, address, since }: LockHolder): NonNullable<PostgresFacts['holder']> {
  return { backendPid: pid, applicationName: application ?? '', clientAddress: address ?? null, sinceMs: since?.getTime() ?? null };
}

function told(lsn: Lsn | undefined): string | null {
  return lsn === undefined || lsn === LSN_ZERO ? null : lsnToPostgres(lsn);
}
