/** What becomes of the line between the service and Postgres, for a while. */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import type { Fault, Heal, Scene } from './fault.ts';
import { oneOf } from './fault.ts';

const LASTS_MS_MAX = 1_500;
const DELAY_MS_MAX = 60;

const cut: Fault = {
  name: 'line cut',
  excuses: 'none',
  async strike(scene) {
    const { world, random } = scene;
    world.line.cut();
    return healAfter(scene, random.below(3) === 0 ? 0 : random.below(LASTS_MS_MAX), 'go on');
  },
};

const silent: Fault = {
  name: 'line silent',
  excuses: 'none',
  async strike(scene) {
    const { world, random } = scene;
    world.line.fallSilent();
    return healAfter(scene, random.below(LASTS_MS_MAX), oneOf(random, ['go on', 'reset']));
  },
};

const slow: Fault = {
  name: 'line slow',
  excuses: 'none',
  async strike(scene) {
    const { world, random } = scene;
    world.line.slowDown(1 + random.below(DELAY_MS_MAX));
    return healAfter(scene, random.below(LASTS_MS_MAX), 'go on');
  },
};

export const LINE_FAULTS: readonly Fault[] = [cut, silent, slow];

function healAfter({ world }: Scene, lastsMs: number, how: 'go on' | 'reset'): Heal {
  const over = pause(systemClock, lastsMs);
  return async () => {
    await over;
    world.line.heal(how);
  };
}
