/** Strangers: puppets without a supervisor, by one letter each, in a world of their own. */
import type { MachineSpec, Pid } from '../../../../src/otp/process.ts';
import { replayScheduler } from '../../../../src/otp/schedulers/choosing-scheduler.ts';
import type { Scheduler } from '../../../../src/otp/schedulers/scheduler.ts';
import { World } from '../../../support/otp/world.ts';

export interface Strangers {
  readonly world: World;
  readonly a: Pid;
  readonly b: Pid;
  readonly c: Pid;
}

/** @param traps the letters of those that trap exits. */
export async function strangers(traps = '', scheduler: Scheduler = replayScheduler()): Promise<Strangers> {
  const world = new World(scheduler);
  const start = (id: string, options: Partial<MachineSpec> = {}) => world.puppet(id, { trapExit: traps.includes(id), ...options });
  return { world, a: await start('a'), b: await start('b'), c: await start('c') };
}

/** Never was anybody's. */
export const nobody = 'nobody#99' as Pid;
