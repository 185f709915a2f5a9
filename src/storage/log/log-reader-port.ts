/**
 * Log reader: brings blocks of the transaction log into memory, where the tables of the asking process find them.
 *
 * - `logEnd` → `log.end { through, lsn }`
 * - `nextBlock { owner, after, through }` → `block.loaded { after, through }`, whole transactions for many shapes; or, of
 *   one that is large, only `transaction.isLarge { through, layouts }`: nobody may hold up the others with it
 * - `nextPart { owner, after, through }` → `block.loaded`, also parts of a large one, for shapes that catch up together; or
 *   `block.corrupt { why }`: these cannot go on, while others may have long passed that place
 * - `loadBlock { owner, after, through }`: the same for a shape that reads by itself, and waits behind others that do
 */
import { invariant } from '../../base/invariant.ts';
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import { LogCorruptError } from '../errors.ts';
import type { LogBlocks } from './log-blocks.ts';
import { WHOLE_TRANSACTION_BYTES_MAX, type BlockSizes, type TransactionLog } from './transaction-log.ts';

/**
 * For the collector. To route a block, and to convert it for one shape, are steps that nothing interrupts: what they take
 * grows with the block, so it ends early. A transaction has to be much larger before it is worth a way of its own.
 */
const COMMON_BLOCK: BlockSizes = { fillBytes: 1024 * 1024, wholeBytesMax: WHOLE_TRANSACTION_BYTES_MAX };
/** For shapes that catch up: what each makes of a block is in memory too, and others have their turn between two. */
const OWN_BLOCK: BlockSizes = { fillBytes: 256 * 1024, wholeBytesMax: 256 * 1024 };

/**
 * @param blocks for shapes that read by themselves; `next` for the collectors, which must not wait behind them.
 * @param sizes of a block for the collector, and of one for shapes that catch up.
 */
export function logReaderPort(
  log: TransactionLog,
  blocks: LogBlocks,
  next: LogBlocks,
  sizes: { readonly common: BlockSizes; readonly own: BlockSizes } = { common: COMMON_BLOCK, own: OWN_BLOCK },
): PortSpec {
  const loadPart = async (into: LogBlocks, request: Message, signal: AbortSignal): Promise<Message> => {
    try {
      const { after, through } = await into.load(ownerOf(request), rangeOf(request), sizes.own, signal);
      return { type: 'block.loaded', after, through };
    } catch (error) {
      if (!(error instanceof LogCorruptError)) throw error;
      return { type: 'block.corrupt', why: error.message };
    }
  };
  const kept = (into: LogBlocks, request: Message, size: BlockSizes): Message | undefined => {
    const loaded = into.loadKept(ownerOf(request), rangeOf(request), size);
    return loaded && { type: 'block.loaded', ...loaded };
  };
  const large = (request: Message): Message | undefined => {
    const surveyed = log.surveyed(rangeOf(request), sizes.common.wholeBytesMax);
    return surveyed && { type: 'transaction.isLarge', ...surveyed };
  };
  return {
    name: '@log-reader',
    open: () => ({
      /** The way from a commit to its clients leads through here: what it has to do with is in memory. */
      atOnce: {
        nextBlock: (request) => large(request) ?? kept(next, request, sizes.common),
        nextPart: (request) => kept(next, request, sizes.own),
        loadBlock: (request) => kept(blocks, request, sizes.own),
      },
      requests: {
        logEnd: () => ({ type: 'log.end', through: log.durableEnd, lsn: log.durableLsn }),
        async nextBlock(request, signal) {
          const [owner, range] = [ownerOf(request), rangeOf(request)];
          const { after, through, isPart } = await next.load(owner, range, sizes.common, signal);
          if (!isPart) return { type: 'block.loaded', after, through };
          next.forget(owner);
          return { type: 'transaction.isLarge', ...(await log.survey(range, signal)) };
        },
        nextPart: (request, signal) => loadPart(next, request, signal),
        loadBlock: (request, signal) => loadPart(blocks, request, signal),
      },
    }),
  };
}

function ownerOf({ owner }: Message): string {
  invariant(typeof owner === 'string', 'a block is loaded for a process');
  return owner;
}

function rangeOf({ after, through }: Message): { after: LogPosition; through: LogPosition } {
  invariant(typeof after === 'number' && typeof through === 'number' && after >= LOG_START, 'a range is two positions');
  return { after: after as LogPosition, through: through as LogPosition };
}
