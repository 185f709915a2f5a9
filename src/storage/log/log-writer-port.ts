/**
 * Log writer: syncs the transaction log, one group after the other, and only then says so: to the replication port,
 * which tells Postgres how far the log holds its stream, and to the collector, which shows it to readers.
 *
 * - `restartStream { source, lsn }` → `stream.restarted`, when the log says so durably; where `lsn` is null, it goes on under that name
 * - `awaitPassed { lsn }` → `log.hasPassed { through }`: every transaction that committed before `lsn` ends at `through` or before, and is
 *   durable. It is the end of all that is: also what was routed by then lies before it
 * - `syncSplice` → `splice.isDurable`: what was recorded before it was asked may be shown
 *
 * When it is idle it syncs at once; what arrives during a sync forms the next group. While the disk refuses, the sync under way waits,
 * and nothing is told to anybody. What fails for good ends it.
 *
 * It begins with a sync and its announcement, since the writer before it may have died between the two, or before. So
 * a log that takes nothing more also ends each new writer at once, and the service with them, however rare commits are.
 */
import type { Clock, TimerId } from '../../base/clock.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import type { Address, Message, PortContext, PortSpec } from '../../otp/process.ts';
import type { LogIntake } from './log-intake.ts';
import { PassedWatch } from './passed-watch.ts';

export interface LogWriterListeners {
  readonly replication: Address;
  readonly collector: Address;
}

/** What passes for others is held this often: a sync in a second costs nothing, and Postgres keeps little WAL in vain. */
const HOLD_EVERY_MS = 1_000;

export function logWriterPort(intake: LogIntake, listeners: LogWriterListeners, clock: Clock): PortSpec {
  return {
    name: '@log-writer',
    open(context) {
      const passed = new PassedWatch(intake, () => context.send(listeners.replication, { type: 'askProgress' }), clock);
      const syncing = syncGroups(intake, listeners, context).catch((error: unknown) => context.exit(error));
      let timer: TimerId;
      const holdNowAndThen = (): void => {
        intake.hold();
        timer = clock.setTimer(holdNowAndThen, HOLD_EVERY_MS);
      };
      holdNowAndThen();
      return {
        atOnce: { awaitPassed: ({ lsn }) => (intake.hasPassed(lsn as Lsn) ? hasPassed(intake) : undefined) },
        requests: {
          restartStream: async ({ source, lsn }) => {
            if (lsn === null) await intake.goOn(source as StreamSource);
            else await intake.restart(source as StreamSource, lsn as Lsn);
            return { type: 'stream.restarted' };
          },
          async awaitPassed({ lsn }, signal) {
            await passed.until(lsn as Lsn, signal);
            return hasPassed(intake);
          },
          async syncSplice() {
            await intake.syncRecords();
            return { type: 'splice.isDurable' };
          },
        },
        close() {
          clock.clearTimer(timer);
          return syncing;
        },
      };
    },
  };
}

function hasPassed({ durableEnd }: LogIntake): Message {
  return { type: 'log.hasPassed', through: durableEnd };
}

async function syncGroups(intake: LogIntake, { replication, collector }: LogWriterListeners, { signal, send }: PortContext): Promise<void> {
  const until = whenStopped(signal);
  for (;;) {
    const synced = await until(intake.sync());
    if (synced === undefined || signal.aborted) return; // The storage closes the log, and whoever stops us does not wait for the disk.
    const { through, lsn } = synced;
    send(collector, { type: 'log.extended', through, lsn });
    send(replication, { type: 'acknowledge' });
    await until(intake.awaitWork());
  }
}

/**
 * @returns gives what is waited for, or undefined when `signal` was aborted before. It listens once, however often something is waited for:
 * a race with one promise for all syncs would keep something of each of them.
 */
function whenStopped(signal: AbortSignal): <Result>(awaited: Promise<Result>) => Promise<Result | undefined> {
  let stop = (): void => {};
  signal.addEventListener('abort', () => stop(), { once: true });
  return (awaited) =>
    new Promise((resolve, reject) => {
      stop = () => resolve(undefined);
      awaited.then(resolve, reject);
      if (signal.aborted) stop();
    });
}
