/** Checkpoints: brings the shapes' logs to the disk and lets go of the transaction log that is no longer needed. */
import type { PortSpec } from '../otp/process.ts';
import type { ShapeLogs } from './shape-logs.ts';
import type { TransactionLog } from './transaction-log.ts';

export function checkpointPort(log: TransactionLog, shapeLogs: ShapeLogs): PortSpec {
  return {
    name: '@checkpoints',
    open: () => ({
      requests: {
        async takeCheckpoint() {
          await log.release(await shapeLogs.checkpoint());
          return { type: 'checkpoint.taken' };
        },
      },
    }),
  };
}
