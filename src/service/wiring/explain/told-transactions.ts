/**
 * ToldTransactions: where a transaction stands, for who asks by its number: in our log, or else by Postgres's word.
 *
 * Nothing is kept per transaction for it: the log knows its newest ones anyway, and answers them again after a restart.
 */
import type { TransactionFate, TransactionSource } from '../../../api/explain/transaction-source.ts';
import type { LogPosition } from '../../../model/log-position.ts';
import type { Lsn } from '../../../model/lsn.ts';
import { precedes, type Xid } from '../../../model/pg-snapshot.ts';
import type { Message } from '../../../otp/process.ts';
import { CallError } from '../../../otp/runtime.ts';
import { transactionFate } from '../../../postgres/catalog/transaction-fate.ts';
import { worldError } from '../../../postgres/connection/database-error.ts';
import { PoolTimeoutError } from '../../../postgres/connection/pool.ts';
import type { ServiceResources } from '../../service-resources.ts';

/** A stream that keeps up brings a commit in less. */
const PASSED_MS_MAX = 1_000;
/** Of transactions that are asked about again and again, where our log had passed them. */
const PASSED_MAX = 1_000;

export class ToldTransactions implements TransactionSource {
  /** While a shape catches up it must be asked about one place, not about one that goes on before it. */
  private readonly passed = new Map<Xid, LogPosition>();
  /** By Postgres's first word since the start: those from here on can only have committed since. */
  private begunSince: Xid | undefined;

  constructor(private readonly resources: Pick<ServiceResources, 'storage' | 'runtime' | 'database'>) {}

  logged(xid: Xid): ReturnType<TransactionSource['logged']> {
    return this.resources.storage.log.locate(xid);
  }

  wouldBeKnown(xid: Xid): boolean {
    const { forgottenThrough } = this.resources.storage.log;
    if (this.begunSince === undefined || precedes(xid, this.begunSince)) return false;
    return forgottenThrough === undefined || precedes(forgottenThrough, xid);
  }

  async fate(xid: Xid): Promise<TransactionFate> {
    const through = this.passed.get(xid);
    if (through !== undefined) return { fate: 'committed', through };
    const told = await this.toldByPostgres(xid);
    if (told === 'unreachable') return { fate: 'unreachable' };
    if (told === undefined) return { fate: 'notBegun' };
    this.begunSince ??= told.endedBelow;
    if (told.fate !== 'committed') return { fate: told.fate };
    return { fate: 'committed', through: await this.untilPassed(xid, told.insertLsn) };
  }

  private async toldByPostgres(xid: Xid): Promise<Awaited<ReturnType<typeof transactionFate>> | 'unreachable'> {
    try {
      return await transactionFate(this.resources.database.subsetPool, xid);
    } catch (error) {
      if (error instanceof PoolTimeoutError || worldError(error) !== undefined) return 'unreachable';
      throw error;
    }
  }

  private async untilPassed(xid: Xid, lsn: Lsn): Promise<LogPosition | undefined> {
    const reply = await this.answered({ type: 'awaitPassed', lsn });
    if (reply === undefined) return undefined;
    const through = reply['through'] as LogPosition;
    this.passed.set(xid, through);
    for (const oldest of this.passed.keys()) {
      if (this.passed.size <= PASSED_MAX) break;
      this.passed.delete(oldest);
    }
    return through;
  }

  private async answered(request: Message): Promise<Message | undefined> {
    try {
      return await this.resources.runtime.call('@log-writer', request, PASSED_MS_MAX);
    } catch (error) {
      if (error instanceof CallError) return undefined;
      throw error;
    }
  }
}
