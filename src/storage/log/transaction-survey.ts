/**
 * Transaction survey: whom a large transaction may concern, and where it ends, when nobody knows: its layouts are told when
 * it is appended, and forgotten with the process. It is read for that part by part, and nothing of its rows is kept: whoever
 * it concerns reads it again, at a pace of its own.
 */
import { invariant } from '../../base/invariant.ts';
import { changesIn } from '../../model/change.ts';
import type { LogRange } from '../../model/log-position.ts';
import type { BlockSizes, Survey, TransactionLog } from './transaction-log.ts';

/** Whatever its size, it comes alone. */
const PARTS: BlockSizes = { fillBytes: 1024 * 1024, wholeBytesMax: 0 };

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
  for (const { layoutId } of changesIn(fragment)) layouts.add(layoutId);
}
