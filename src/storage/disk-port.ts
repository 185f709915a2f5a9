/**
 * Disk port: tells when the disk refuses something, and tries it again. While it is open, what was refused waits for that.
 *
 * - `awaitRefusal` → `disk.refused { error }`, when there is one
 * - `tryDisk` → `disk.took`: all that waited is done; or `disk.refused { error }`
 */
import type { Message, PortSpec } from '../otp/process.ts';
import type { DiskStanding } from './disk-standing.ts';
import { explain, type DiskError } from './errors.ts';

export function diskPort(standing: DiskStanding): PortSpec {
  return {
    name: '@disk',
    open() {
      const leave = standing.keep();
      return {
        requests: {
          async awaitRefusal(_, signal) {
            await standing.whenRefused(signal);
            return told(standing.refusal);
          },
          tryDisk: async (_, signal) => told(await standing.tryAgain(signal)),
        },
        close: leave,
      };
    },
  };
}

function told(refusal: DiskError | undefined): Message {
  if (refusal === undefined) return { type: 'disk.took' };
  return { type: 'disk.refused', error: { code: refusal.code, meaning: explain(refusal.code), message: refusal.message } };
}
