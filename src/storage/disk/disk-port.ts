/**
 * Disk port: tells when the disk refuses something, and tries it again. While it is open, what was refused waits for that.
 *
 * - `awaitRefusal` → `disk.refused { error }`, when there is one that work waits for, or that the disk repeats when it is asked; one file
 *   that could not be made, of somebody who was told, is nobody else's affair
 * - `tryDisk` → `disk.took`: all that waited is done; or `disk.refused { error }`
 */
import type { Message, PortSpec } from '../../otp/process.ts';
import type { DiskStanding } from './disk-standing.ts';
import { explain, type DiskError } from '../errors.ts';

export function diskPort(standing: DiskStanding): PortSpec {
  return {
    name: '@disk',
    open() {
      standing.keep();
      return {
        requests: {
          awaitRefusal: async (_, signal) => told(await lastingRefusal(standing, signal)),
          tryDisk: async (_, signal) => told(await standing.tryAgain(signal)),
        },
      };
    },
  };
}

async function lastingRefusal(standing: DiskStanding, signal: AbortSignal): Promise<DiskError | undefined> {
  let refusal: DiskError | undefined;
  while (refusal === undefined && !signal.aborted) {
    await standing.whenRefused(signal);
    refusal = standing.pause === undefined ? await standing.tryAgain(signal) : standing.refusal;
  }
  return refusal;
}

function told(refusal: DiskError | undefined): Message {
  if (refusal === undefined) return { type: 'disk.took' };
  return { type: 'disk.refused', error: { code: refusal.code, meaning: explain(refusal.code), message: refusal.message } };
}
