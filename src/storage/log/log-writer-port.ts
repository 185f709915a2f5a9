/**
 * Log writer: syncs the transaction log, one group after the other, and only then says so: to the replication client,
 * which acknowledges it to Postgres, and to the collector, which shows it to readers.
 *
 * - `restartStream { source }` → `stream.restarted`, when the log says so durably
 *
 * When it is idle it syncs at once; what arrives during a sync forms the next group. A disk that fails ends it.
 *
 * It begins with a sync and its announcement, since the writer before it may have died between the two, or before. So
 * a log that takes nothing more also ends each new writer at once, and the service with them, however rare commits are.
 */
import type { Address, PortSpec } from '../../otp/process.ts';
import type { LogIntake } from './log-intake.ts';

export interface LogWriterListeners {
  readonly replication: Address;
  readonly collector: Address;
}

export function logWriterPort(intake: LogIntake, { replication, collector }: LogWriterListeners): PortSpec {
  return {
    name: '@log-writer',
    open({ signal, send, exit }) {
      const syncGroups = async (): Promise<void> => {
        while (!signal.aborted) {
          const { through, lsn } = await intake.sync();
          send(replication, { type: 'acknowledge', lsn });
          send(collector, { type: 'log.extended', through, lsn });
          await intake.awaitWork(signal);
        }
      };
      const syncing = syncGroups().catch((error: unknown) => exit(error));
      return {
        requests: {
          restartStream: async ({ source }) => {
            await intake.restart(String(source));
            return { type: 'stream.restarted' };
          },
        },
        close: () => syncing,
      };
    },
  };
}
