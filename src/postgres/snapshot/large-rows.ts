/**
 * LargeRows: the rows of a large table, read by a thread over a session of its own that sees what ours sees.
 *
 * How much a query brings is not known before it has ended, unless it brings the whole table. So only those without a filter are read so,
 * and only where that takes long enough to be felt: to start a thread and a session takes some hundredths of a second.
 */
import type pg from 'pg';
import { Stop, type StopSignal } from '../../base/stop-signal.ts';
import type { LineTemplate } from '../../model/line-template.ts';
import { TABLES_SQL } from '../catalog/partitions.ts';
import { askPrepared } from '../connection/prepared-question.ts';
import { withEither } from './either-signal.ts';
import { readingOf } from './reading-transaction.ts';
import type { RowsThreads, ThreadReader } from './rows-thread.ts';
import type { Looked } from './table-look.ts';

/** Of a table and what lies beside it; some hundred thousand rows. */
const LARGE_BYTES = 16 * 1024 * 1024;

const EXPORTED = { name: 'armature_exported', text: `
  SELECT pg_export_snapshot() AS snapshot FROM pg_catalog.pg_class c
  WHERE c.oid = $1 AND (SELECT sum(pg_table_size(tree.relid)) FROM ${TABLES_SQL}) >= $2` };

export interface LargeRows {
  readonly threads: RowsThreads;
  /** In a transaction that has its snapshot. */
  readonly client: pg.PoolClient;
  readonly looked: Looked;
  /** Without parameters. */
  readonly sql: string;
  readonly template: LineTemplate;
  /** SQL that bounds the query in time. */
  readonly limit: string;
}

/**
 * @returns false when nothing was read: the table is not large, or there is no thread or session for it at present.
 * @throws as `RowsThreads.read`.
 */
export async function readLargeRows({ threads, client, looked, sql, template, limit }: LargeRows, reader: ThreadReader): Promise<boolean> {
  if (!threads.hasRoom) return false;
  const [exported] = await askPrepared<{ readonly snapshot: string }>(client, EXPORTED, [looked.oid, LARGE_BYTES]);
  if (exported === undefined || !threads.hasRoom) return false;
  const task = { begin: readingOf(exported.snapshot, limit), sql, template, isBoolean: looked.isBoolean };
  return await whileConnected(client, reader.signal, (signal) => threads.read(task, { ...reader, signal }));
}

/** Nothing counts that nobody can confirm; and who finds that a connection leads nowhere closes those that he knows of. */
async function whileConnected<Result>(
  client: pg.PoolClient,
  signal: StopSignal,
  action: (signal: StopSignal) => Promise<Result>,
): Promise<Result> {
  const lost = new Stop();
  const lose = (): void => lost.abort(undefined);
  client.once('end', lose);
  try {
    return await withEither([signal, lost], action);
  } finally {
    client.off('end', lose);
  }
}
