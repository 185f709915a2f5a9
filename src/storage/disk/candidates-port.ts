/**
 * Candidates port: who stands by for the storage that this instance works in, and reaches the database.
 *
 * - `seeCandidate` → `candidate.seen { host, pid }`, who has given a sign of life since it was asked last; or `candidate.unseen`, also
 *   where the disk does not say
 * - `makeRoom` → `room.made`: nobody is let in any more, and the stack is about to end
 */
import type { Clock } from '../../base/clock.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import { DiskError } from '../errors.ts';
import { CandidateWatch } from './candidate.ts';
import type { Disk } from './disk.ts';

export interface CandidatesPortOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  makeRoom(): void;
}

export function candidatesPort({ disk, directory, clock, makeRoom }: CandidatesPortOptions): PortSpec {
  return {
    name: '@candidates',
    open() {
      const watch = new CandidateWatch(disk, directory, clock);
      return {
        requests: {
          seeCandidate: () => look(watch),
          makeRoom() {
            makeRoom();
            return Promise.resolve({ type: 'room.made' });
          },
        },
      };
    },
  };
}

async function look(watch: CandidateWatch): Promise<Message> {
  try {
    const seen = await watch.look();
    return seen === undefined ? { type: 'candidate.unseen' } : { type: 'candidate.seen', host: seen.host, pid: seen.pid };
  } catch (error) {
    if (error instanceof DiskError) return { type: 'candidate.unseen' }; // Whoever works on that disk tells what is wrong with it.
    throw error;
  }
}
