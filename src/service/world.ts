/** The world outside, as arguments: a test or a simulation gives another one. */
import { systemClock, type Clock } from '../base/clock.ts';
import { systemRandom, type Random } from '../base/random.ts';
import { nodeDisk, type Disk } from '../storage/disk.ts';

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
}

export const systemWorld: World = { clock: systemClock, random: systemRandom, disk: nodeDisk };
