/**
 * A session with a Postgres that may go at any moment. Who loses one in the midst of a statement does not know whether that was done: it
 * is told so, and the next statement opens another.
 */
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { Turns } from './turns.ts';

/** Perhaps it was done. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';
}

/** Lost to somebody else who works on the same rows or tables; nothing was done. */
const TO_BE_REPEATED = new Set(['40P01', '55P03', '40001', '55006']);
/** The server goes, comes, or has no room. */
const GONE = /^(57P0[123]|08...|53300)$/;
const ANSWERED_MS_MAX = 60_000;
const AGAIN_AFTER_MS = 15;

export class TornSession {
  private readonly turns = new Turns();
  private client: pg.Client | undefined;

  /** @param settings statements that each session begins with. */
  constructor(private readonly url: string, private readonly settings = "SET deadlock_timeout = '20ms'; SET lock_timeout = '10s'") {}

  /** @throws {SessionLostError} */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string): Promise<Row[]> {
    return this.turns.take(() => this.run<Row>(sql));
  }

  /** As often as it takes: `sql` is such that to do it twice is to do it once. */
  async insist<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string): Promise<Row[]> {
    for (const deadline = AbortSignal.timeout(ANSWERED_MS_MAX); ; await pause(systemClock, AGAIN_AFTER_MS)) {
      try {
        return await this.query<Row>(sql);
      } catch (error) {
        if (deadline.aborted || !isPassing(error)) throw error;
      }
    }
  }

  async end(): Promise<void> {
    await this.client?.end().catch(() => {});
    this.client = undefined;
  }

  private async run<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    try {
      const client = this.client ?? (await this.open());
      const result = await client.query<Row>(sql);
      return Array.isArray(result) ? rowsOfLast<Row>(result) : result.rows;
    } catch (error) {
      if (error instanceof pg.DatabaseError && !GONE.test(error.code ?? '')) throw error;
      this.client?.end().catch(() => {});
      this.client = undefined;
      throw new SessionLostError(String(error), { cause: error });
    }
  }

  private async open(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => {}); // The next statement says it.
    await client.connect();
    this.client = client;
    await client.query(this.settings);
    return client;
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof SessionLostError || (error instanceof pg.DatabaseError && TO_BE_REPEATED.has(error.code ?? ''));
}

function rowsOfLast<Row extends pg.QueryResultRow>(results: readonly pg.QueryResult<Row>[]): Row[] {
  return results.at(-1)?.rows ?? [];
}
