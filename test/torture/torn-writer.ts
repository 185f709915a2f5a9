/** Runs random transactions, whatever becomes of its session meanwhile. */
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import type { OracleTransaction } from '../oracle/any-transaction.ts';
import type { RunStory } from './run-story.ts';
import { SessionLostError, type TornSession } from './torn-session.ts';

/** Two writers may want the same free key, or each other's rows, and a table may have been made anew meanwhile. */
const LOST_TO_ANOTHER = new Set(['23505', '40P01', '55P03', '42P01', 'XX000']);
const AWAY_MS = 20;

export class TornWriter {
  readonly counts = { transactions: 0, rolledBack: 0, lost: 0 };

  constructor(private readonly session: TornSession, private readonly name: string, private readonly story: RunStory) {}

  /** Resolves when it has ended, one way or another, or nobody knows how. */
  async run({ statements, end }: OracleTransaction): Promise<void> {
    try {
      await this.session.query('BEGIN');
      for (const statement of statements) await this.session.query(statement);
      const [row] = await this.session.query<{ xid: string | null }>('SELECT pg_current_xact_id_if_assigned()::text AS xid');
      await this.session.query(end);
      this.counts[end === 'COMMIT' ? 'transactions' : 'rolledBack'] += 1;
      this.story.tell(`${this.name}, ${end} of ${row?.xid ?? 'nothing'}: ${statements.join('; ')}`);
    } catch (error) {
      await this.recover(error, statements);
    }
  }

  private async recover(error: unknown, statements: readonly string[]): Promise<void> {
    if (error instanceof SessionLostError) {
      this.counts.lost += 1;
      this.story.tell(`${this.name}, lost: ${statements.join('; ')}`);
      return await pause(systemClock, AWAY_MS);
    }
    if (!(error instanceof pg.DatabaseError) || !LOST_TO_ANOTHER.has(error.code ?? '')) throw error;
    this.counts.rolledBack += 1;
    await this.session.query('ROLLBACK').catch((refused: unknown) => {
      if (!(refused instanceof SessionLostError)) throw refused;
    });
  }
}
