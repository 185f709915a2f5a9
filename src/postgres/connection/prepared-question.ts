/** PreparedQuestion: what is asked again and again. In a session that is ours for long, Postgres parses and plans it once. */
import type pg from 'pg';
import { DatabaseRefusedError, DatabaseUnreachableError, typed } from './database-error.ts';
import { isLongSession } from './long-session.ts';

export interface Question {
  /** Of the prepared statement, among all of a session. */
  readonly name: string;
  readonly text: string;
}

/** Whoever stands between us and Postgres gave us another session, or had ours forget all. */
const NO_SUCH_STATEMENT = '26000';

/**
 * @throws {DatabaseUnreachableError} also when the session has forgotten the question: the next session is asked it anew.
 * @throws {WorldError}
 */
export async function askPrepared<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  { name, text }: Question,
  values: readonly unknown[],
): Promise<Row[]> {
  const question = isLongSession(client) ? { name, text } : { text };
  try {
    return await typed(async () => (await client.query<Row>({ ...question, values: [...values] })).rows);
  } catch (error) {
    throw forgotten(error) ?? error;
  }
}

/** @returns what it means that a session does not know what was prepared there; undefined for any other error. */
export function forgotten(error: unknown): DatabaseUnreachableError | undefined {
  if (!(error instanceof DatabaseRefusedError) || error.code !== NO_SUCH_STATEMENT) return undefined;
  return new DatabaseUnreachableError(`its session has forgotten what was prepared: ${error.message}`, { cause: error });
}
