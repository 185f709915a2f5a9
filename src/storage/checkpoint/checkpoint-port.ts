/**
 * Checkpoints: brings the shapes' logs to the disk and lets go of the transaction log that is no longer needed.
 *
 * What the disk refuses is done again when it is tried again, and answered then: until then nothing more comes into memory either
 * (`DiskStanding.pause`). Any other failure of the storage ends it. One that comes back takes a checkpoint before it counts as started,
 * unless the disk refuses; so when nothing more can be saved each new incarnation ends at once, and with them the service: without
 * checkpoints the log, and the lines in memory, would grow without end. The first one does not: all readers would wait for it, and what
 * there is to save was recovered, and can be again.
 * Shapes whose own files do not hold are named in the answer: the checkpoint after their deletion is without them. Where the device fails
 * files of a shape and takes everything else, nobody waits for that: there is no checkpoint yet, or the shape is damaged.
 *
 * - `takeCheckpoint` → `checkpoint.taken { left }`, how many removals are left for later; or `checkpoint.deferred { damaged }`, a list of
 *   `{ handle, why }`, empty where it is enough to ask again
 * - `awaitUnsaved` → `unsaved.exceeded`
 * - `spillLines { handle }` → `lines.spilled`, or `lines.refused { why }`: its files are damaged
 */
import type { Clock } from '../../base/clock.ts';
import { pause } from '../../base/pause.ts';
import type { Handle } from '../../model/shape.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import { CheckpointDeferredError, isRefusal, ShapeCorruptError, ShapeRefusedError } from '../errors.ts';
import type { TransactionLog } from '../log/transaction-log.ts';
import type { ShapeLogs } from '../shapes/shape-logs.ts';

/** Bytes of lines that may be in memory only: with more, a checkpoint is due. */
const UNSAVED_BYTES_MAX = 64 * 1024 * 1024;
/** So many shapes are named at once; the next answer names others. */
const DAMAGED_MAX = 500;
/** Of a shape whose files alone are refused. */
const SPILL_AGAIN_MS = 500;

/** @returns a port that is opened again when it has ended. */
export function checkpointPort(
  log: TransactionLog,
  shapeLogs: ShapeLogs,
  disk: DiskStanding,
  clock: Clock,
  unsavedBytesMax = UNSAVED_BYTES_MAX,
): PortSpec {
  let isFirst = true;
  return {
    name: '@checkpoints',
    async open({ signal }) {
      if (!isFirst) {
        const taken = takeCheckpoint(log, shapeLogs).catch(passRefusal); // A damaged shape is named again when somebody asks.
        await Promise.race([taken, disk.whenRefused(signal)]);
      }
      isFirst = false;
      return {
        requests: {
          takeCheckpoint: () => disk.insist(() => takeCheckpoint(log, shapeLogs)),
          async awaitUnsaved(_, signal) {
            await shapeLogs.whenUnsaved(unsavedBytesMax, signal);
            return { type: 'unsaved.exceeded' };
          },
          spillLines: ({ handle }, signal) => disk.insist(() => spillLines(shapeLogs, handle as Handle, clock, signal)),
        },
      };
    },
  };
}

async function takeCheckpoint(log: TransactionLog, shapeLogs: ShapeLogs): Promise<Message> {
  try {
    await shapeLogs.checkpoint();
    await log.release(shapeLogs.releasable); // As it is now: a snapshot may have sent its shape back meanwhile.
    return { type: 'checkpoint.taken', left: shapeLogs.leftCount };
  } catch (error) {
    if (!(error instanceof CheckpointDeferredError)) throw error;
    const damaged = error.damaged.slice(0, DAMAGED_MAX).map(({ handle, message }) => ({ handle, why: message }));
    return { type: 'checkpoint.deferred', damaged };
  }
}

/** @param signal aborted when its Consumer waits no more: what the next one has in memory is another's affair. */
async function spillLines(shapeLogs: ShapeLogs, handle: Handle, clock: Clock, signal: AbortSignal): Promise<Message> {
  for (;;) {
    try {
      signal.throwIfAborted();
      await shapeLogs.spill(handle);
      return { type: 'lines.spilled' };
    } catch (error) {
      if (error instanceof ShapeCorruptError) return { type: 'lines.refused', why: error.message };
      if (!(error instanceof ShapeRefusedError)) throw error;
    }
    await pause(clock, SPILL_AGAIN_MS, signal);
  }
}

/** It is remembered by the disk's standing. */
function passRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error;
}
