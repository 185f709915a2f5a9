/**
 * Transaction survey: whom a large transaction may concern, and where it ends. It is read for that once, part by part, and
 * nothing of it is kept: whoever it concerns reads it again, at a pace of its own.
 */
import { invariant } from '../../base/invariant.ts';
import { Change } from '../../model/change.ts';
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { BlockSizes, TransactionLog } from './transaction-log.ts';

export interface Survey {
  /** Behind the transaction. */
  readonly through: LogPosition;
  /** The layouts of its changes: ids, each once. */
  readonly layouts: readonly number[];
}

const PARTS: BlockSizes = { fillBytes: 1024 * 1024, wholeBytesMax: 1024 * 1024 };

/**
 * @param range begins before the transaction, with no other in between.
 * @throws {LogCorruptError} as the log does, and the reason of `signal` when nobody waits any more.
 */
export async function surveyTransaction(
  log: Pick<TransactionLog, 'read'>,
  { after, through }: LogRange,
  signal: AbortSignal,
): Promise<Survey> {
  const layouts = new Set<number>();
  for (let at = after; ; ) {
    signal.throwIfAborted();
    const block = await log.read({ after: at, through }, PARTS);
    const [transaction] = block.transactions;
    invariant(transaction !== undefined, 'a transaction that was found is there');
    for (const fragment of transaction.fragments) collectLayouts(fragment, layouts);
    if (!transaction.isUnfinished) return { through: block.through, layouts: [...layouts] };
    at = block.through;
  }
}

function collectLayouts(fragment: Uint8Array, layouts: Set<number>): void {
  for (let at = 0; at < fragment.length; ) {
    const change = new Change(fragment, at);
    layouts.add(change.layoutId);
    at = change.end;
  }
}
