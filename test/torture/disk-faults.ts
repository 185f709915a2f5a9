/** What becomes of the disk of the storage: it is full for a while. What is started then may find no room for its lock, and end. */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import type { Fault } from './fault.ts';

const LASTS_MS_MAX = 2_500;

const full: Fault = {
  name: 'disk full',
  excuses: 'none',
  takes: 'a disk that can be filled',
  async strike({ world, random }) {
    const over = pause(systemClock, random.below(LASTS_MS_MAX));
    world.instances.mayRefuse = true;
    world.disk.fill();
    return async () => {
      await over;
      world.disk.empty();
    };
  },
};

export const DISK_FAULTS: readonly Fault[] = [full];
