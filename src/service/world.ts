/** The world outside, as arguments: a test or a simulation gives another one. */
import { systemClock, type Clock } from '../base/clock.ts';
import { systemRandom, type Random } from '../base/random.ts';
import { nodeDisk, type Disk } from '../storage/disk/disk.ts';
import { openFilesLimit } from './open-files-limit.ts';

/** What a service has of the machine. */
export interface World {
  /** For deadlines, timers and handles. */
  readonly clock: Clock;
  /** For cursors and delays. */
  readonly random: Random;
  /** For the storage directory. */
  readonly disk: Disk;
  /** How many files may be open, connections included; Infinity where there is no limit. */
  openFilesMax(): number;
}

/** That of this machine. */
export const systemWorld: World = { clock: systemClock, random: systemRandom, disk: nodeDisk, openFilesMax: openFilesLimit };
