/**
 * Checkpoints: brings the shapes' logs to the disk and lets go of the transaction log that is no longer needed.
 *
 * What the disk refuses is done again when it is tried again, and answered then: until then nothing more comes into memory either
 * (`DiskStanding.pause`). Any other failure of the storage ends it. It takes a checkpoint before it counts as started, unless the disk
 * refuses; so when nothing more can be saved each new incarnation ends at once, and with them the service: without checkpoints the log,
 * and the lines in memory, would grow without end.
 * A shape whose own files do not hold is named in the answer: the checkpoint after its deletion is without it.
 *
 * - `takeCheckpoint` → `checkpoint.taken`, or `checkpoint.deferred { handle, why }`
 * - `awaitUnsaved` → `unsaved.exceeded`
 * - `spillLines { handle }` → `lines.spilled`, or `lines.refused { why }`: its files are damaged
 */
import type { Handle } from '../../model/shape.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import { isRefusal, ShapeCorruptError } from '../errors.ts';
import type { TransactionLog } from '../log/transaction-log.ts';
import type { ShapeLogs } from '../shapes/shape-logs.ts';

/** Bytes of lines that may be in memory only: with more, a checkpoint is due. */
const UNSAVED_BYTES_MAX = 64 * 1024 * 1024;

export function checkpointPort(
  log: TransactionLog,
  shapeLogs: ShapeLogs,
  disk: DiskStanding,
  unsavedBytesMax = UNSAVED_BYTES_MAX,
): PortSpec {
  return {
    name: '@checkpoints',
    async open({ signal }) {
      const taken = takeCheckpoint(log, shapeLogs).catch(passRefusal); // A damaged shape is named again when somebody asks.
      await Promise.race([taken, disk.whenRefused(signal)]);
      return {
        requests: {
          takeCheckpoint: () => disk.insist(() => takeCheckpoint(log, shapeLogs)),
          async awaitUnsaved(_, signal) {
            await shapeLogs.whenUnsaved(unsavedBytesMax, signal);
            return { type: 'unsaved.exceeded' };
          },
          spillLines: ({ handle }, signal) => disk.insist(() => spillLines(shapeLogs, handle as Handle, signal)),
        },
      };
    },
  };
}

async function takeCheckpoint(log: TransactionLog, shapeLogs: ShapeLogs): Promise<Message> {
  try {
    await shapeLogs.checkpoint();
    await log.release(shapeLogs.releasable); // As it is now: a snapshot may have sent its shape back meanwhile.
    return { type: 'checkpoint.taken' };
  } catch (error) {
    if (!(error instanceof ShapeCorruptError)) throw error;
    return { type: 'checkpoint.deferred', handle: error.handle, why: error.message };
  }
}

/** @param signal aborted when its Consumer waits no more: what the next one has in memory is another's affair. */
async function spillLines(shapeLogs: ShapeLogs, handle: Handle, signal: AbortSignal): Promise<Message> {
  try {
    signal.throwIfAborted();
    await shapeLogs.spill(handle);
    return { type: 'lines.spilled' };
  } catch (error) {
    if (!(error instanceof ShapeCorruptError)) throw error;
    return { type: 'lines.refused', why: error.message };
  }
}

/** It is remembered by the disk's standing. */
function passRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error;
}
