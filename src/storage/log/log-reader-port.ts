/** Log reader: brings blocks of the transaction log into memory, where the tables of the asking process find them. */
import { invariant } from '../../base/invariant.ts';
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import type { LogBlocks } from './log-blocks.ts';
import type { TransactionLog } from './transaction-log.ts';

/** What one block brings into memory, about; a transaction comes whole, however large. */
const BLOCK_BYTES_MAX = 8 * 1024 * 1024;

export function logReaderPort(log: TransactionLog, blocks: LogBlocks): PortSpec {
  return {
    name: '@log-reader',
    open: () => ({
      requests: {
        logEnd: () => ({ type: 'log.end', through: log.durableEnd, lsn: log.durableLsn }),
        async loadBlock(request, signal) {
          const loaded = await blocks.load(ownerOf(request), rangeOf(request), BLOCK_BYTES_MAX, signal);
          return { type: 'block.loaded', ...loaded };
        },
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
