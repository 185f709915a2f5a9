/** A session that runs random transactions, and keeps the story of the latest for whoever reads about a failure. */
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import type { OracleTransaction } from './any-transaction.ts';

/** Two writers may want the same free key, or each other's rows. */
const LOST_TO_ANOTHER = new Set(['23505', '40P01']);
const REMEMBERED_MAX = 25;

export class Writer {
  readonly story: string[] = [];
  readonly counts = { transactions: 0, rolledBack: 0, statements: 0 };

  constructor(private readonly session: pg.Client, private readonly name: string) {}

  /** Resolves when it has ended, one way or another. */
  async run({ statements, end }: OracleTransaction): Promise<void> {
    try {
      await this.session.query('BEGIN');
      for (const statement of statements) await this.session.query(statement);
      const { rows } = await this.session.query<{ xid: string | null }>('SELECT pg_current_xact_id_if_assigned()::text AS xid');
      await this.session.query(end);
      this.counts[end === 'COMMIT' ? 'transactions' : 'rolledBack'] += 1;
      this.remember(`${end} of ${rows[0]?.xid ?? 'nothing'}`, statements);
    } catch (error) {
      await this.session.query('ROLLBACK');
      if (!(error instanceof pg.DatabaseError) || !LOST_TO_ANOTHER.has(error.code ?? '')) throw error;
      this.counts.rolledBack += 1;
    }
    this.counts.statements += statements.length;
  }

  private remember(outcome: string, statements: readonly string[]): void {
    this.story.push(`${Math.round(systemClock.nowMs())} ms, ${this.name}, ${outcome}: ${statements.join('; ')}`);
    if (this.story.length > REMEMBERED_MAX) this.story.shift();
  }
}

/** A deadlock of two writers is part of the game: it is found at once, not after a second. */
export async function openWriter(session: pg.Client, name: string): Promise<Writer> {
  await session.query("SET deadlock_timeout = '20ms'");
  return new Writer(session, name);
}
