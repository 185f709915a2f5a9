/** Check: one question to a database. It only reads, in a transaction of its own that could not write. */
import type pg from 'pg';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import type { StreamNames } from '../../settings/stream-names.ts';
import type { SlotSettings } from '../replication/slot-standing.ts';
import type { Told } from './finding.ts';

/** What the service would be given. */
export interface Subject extends StreamNames, SlotSettings {
  readonly target: DatabaseTarget;
  /** Where snapshots would be queried; undefined when that is the target. */
  readonly pooledTarget?: DatabaseTarget | undefined;
  /** Tables and publication are the operator's. */
  readonly isManual: boolean;
  /** Connections that the service may open to the database, beside the one that streams. */
  readonly connections: number;
}

export interface Check {
  readonly id: string;
  /** @returns nothing where the question does not arise. */
  look(client: pg.Client, subject: Subject): Promise<readonly Told[]>;
}

/** The only row. */
export async function rowOf<Row extends pg.QueryResultRow>(client: pg.Client, sql: string, values: readonly unknown[] = []): Promise<Row> {
  const [row] = await rowsOf<Row>(client, sql, values);
  if (row === undefined) throw new Error(`a row is missing: ${sql}`);
  return row;
}

export async function rowsOf<Row extends pg.QueryResultRow>(
  client: pg.Client,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  return (await client.query<Row>(sql, [...values])).rows;
}
