/** Transactions, rows and readers for the tests of storage. */
import { jsonArray } from '../../../src/api/json-array-encoder.ts';
import { invariant } from '../../../src/base/invariant.ts';
import type { EntryRun, LogEntry } from '../../../src/model/log-entry.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot, Xid } from '../../../src/model/pg-snapshot.ts';
import type { StreamSource } from '../../../src/model/stream-source.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';
import type { ShapeRecord } from '../../../src/storage/log/shape-record.ts';
import type { ShapeLog, ShapeRead } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import type { BlockSizes, TransactionLog } from '../../../src/storage/log/transaction-log.ts';

export const pgSnapshot: PgSnapshot = { xmin: '90', xmax: '95', xip: ['91'], insertLsn: '5' as Lsn };
export const snapshotEnd = '{"headers":{"control":"snapshot-end","xmin":"90","xmax":"95","xip_list":["91"]}}';

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const text = (raw: Uint8Array): string => Buffer.from(raw).toString();
export const lsn = (value: number): Lsn => String(value) as Lsn;
export const xid = (value: number): Xid => value as Xid;
export const anotherSource: StreamSource = { systemId: '7', timeline: '1', database: 'items', slot: 'another' };
export const offset = (value: string): LogOffset => value as LogOffset;

export function appendTransaction(log: TransactionLog, commit: number, fragments: readonly string[]): void {
  for (const fragment of fragments) log.appendChanges(xid(commit), bytes(fragment));
  log.appendCommit(xid(commit), lsn(commit));
}

/** Blocks of about so many bytes, and no transaction of more in one piece unless it is in memory. */
export const upTo = (bytes: number): BlockSizes => ({ fillBytes: bytes, wholeBytesMax: bytes });

/** A block in a form that a test can print. */
export function transactionsOf(block: LogBlock): { lsn: string; xid: number; fragments: string[] }[] {
  return block.transactions.map(({ lsn: commit, xid: id, fragments }) => ({ lsn: commit, xid: id, fragments: fragments.map(text) }));
}

export async function readAll(log: TransactionLog, after: number): Promise<ReturnType<typeof transactionsOf>> {
  const range = { after: after as LogPosition, through: log.durableEnd };
  return transactionsOf(await log.read(range, upTo(Number.MAX_SAFE_INTEGER)));
}

/** Everything behind `after`, block by block, with the parts of a transaction put together. */
export async function readInBlocks(log: TransactionLog, after: LogPosition, bytesMax: number): Promise<ReturnType<typeof transactionsOf>> {
  const found: ReturnType<typeof transactionsOf> = [];
  let begun: ReturnType<typeof transactionsOf>[number] | undefined;
  for (let at = after, through = log.durableEnd; at < through; ) {
    const block = await log.read({ after: at, through }, upTo(bytesMax));
    const isPart = begun !== undefined || block.transactions.some(({ isUnfinished }) => isUnfinished);
    invariant(!isPart || block.transactions.length === 1, 'a part of a transaction comes alone');
    for (const [index, transaction] of transactionsOf(block).entries()) {
      const whole = begun === undefined ? transaction : { ...transaction, fragments: [...begun.fragments, ...transaction.fragments] };
      begun = block.transactions[index]?.isUnfinished === true ? whole : undefined;
      if (begun === undefined) found.push(whole);
    }
    at = block.through;
  }
  return found;
}

export async function recordsOf(log: TransactionLog, after = 0): Promise<ShapeRecord[]> {
  const found: ShapeRecord[] = [];
  for await (const { record } of log.records(after as LogPosition)) found.push(record);
  return found;
}

/** A read with its body as a client gets it, in one text without its brackets; a refusal as it is. */
export async function bodyOf(read: ShapeRead): Promise<{ body: string; end: string; upToDate: boolean } | { outcome: string }> {
  if (read.outcome !== 'entries') return read;
  const pieces: Uint8Array[] = [];
  for await (const piece of jsonArray(read.runs, undefined)) pieces.push(piece);
  return { body: Buffer.concat(pieces).toString().slice(1, -1), end: read.end, upToDate: read.upToDate };
}

/** A read entry by entry, from `bytes` on. */
export async function entriesOf(read: ShapeRead, bytes = 0): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = [];
  if (read.outcome === 'entries') for await (const group of read.entries(bytes)) entries.push(...group);
  return entries;
}

export async function* runsOf(read: ShapeRead): AsyncGenerator<EntryRun> {
  if (read.outcome === 'entries') yield* read.runs;
}

export async function snapshotOf(shape: ShapeLog, rows: readonly string[]): Promise<void> {
  const writer = shape.beginSnapshot(pgSnapshot);
  if (rows.length > 0) await writer.write(rows.map(bytes));
  await writer.complete();
}

/** Appends one transaction's lines to a shape, and shows them; the log itself need not know it. */
export function appendLines(shape: ShapeLog, commit: number, lines: readonly string[]): void {
  lines.forEach((line, index) => shape.append(lsn(commit), 2 * index, bytes(line)));
  shape.publish(shape.position);
}

/** Lets the log grow by a transaction that is durable when this resolves. */
export async function grow({ log }: Pick<Storage, 'log'>, commit: number): Promise<LogPosition> {
  appendTransaction(log, commit, [`transaction ${commit}`]);
  return log.sync();
}
