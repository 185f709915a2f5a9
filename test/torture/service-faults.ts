/** What is done to the processes of the service: kills, drains, and second instances on the same storage. */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import type { Random } from '../../src/base/random.ts';
import type { Fault, Scene } from './fault.ts';
import type { Instance } from './instances.ts';
import type { TortureWorld } from './torture-world.ts';

const STARTS_MS_MAX = 900;
const SECOND_LIVES_MS_MAX = 1_500;
const WAITS_WITHIN_MS = 5_000;

const killed: Fault = {
  name: 'service killed',
  excuses: 'none',
  strike: (scene) => inTurn(scene, async ({ world, random }) => {
    await killAll(world);
    await world.instances.spawn();
    if (random.below(4) > 0) return;
    await pause(systemClock, random.below(STARTS_MS_MAX)); // And again while it starts.
    await killAll(world);
    await world.instances.spawn();
  }),
};

const drained: Fault = {
  name: 'service drained',
  excuses: 'none',
  strike: (scene) => inTurn(scene, async ({ world }) => {
    for (const instance of [...world.instances.running]) await world.instances.drain(instance);
    await world.instances.spawn();
  }),
};

const secondKilled: Fault = {
  name: 'second instance killed',
  excuses: 'none',
  strike: (scene) => inTurn(scene, async ({ world, random }) => {
    const { second } = await besideAnother(world, random);
    await world.instances.kill(second);
  }),
};

const firstKilled: Fault = {
  name: 'first instance killed beside a second',
  excuses: 'none',
  strike: (scene) => inTurn(scene, async ({ world, random }) => {
    const { first } = await besideAnother(world, random);
    if (first !== undefined) await world.instances.kill(first);
  }),
};

const firstDrained: Fault = {
  name: 'first instance drained beside a second',
  excuses: 'none',
  strike: (scene) => inTurn(scene, async ({ world, random }) => {
    const { first } = await besideAnother(world, random);
    if (first !== undefined) await world.instances.drain(first);
  }),
};

export const SERVICE_FAULTS: readonly Fault[] = [killed, drained, secondKilled, firstKilled, firstDrained];

/** Nobody works in the storage behind it. */
export async function killAll(world: TortureWorld): Promise<void> {
  for (const instance of [...world.instances.running]) await world.instances.kill(instance);
  await world.lookAtWhatIsLeft();
}

async function inTurn(scene: Scene, action: (scene: Scene) => Promise<void>): Promise<undefined> {
  await scene.world.serviceTurns.take(() => action(scene));
  return undefined;
}

interface Pair {
  readonly first: Instance | undefined;
  readonly second: Instance;
}

/** A second one is started, and lives for a while, mostly until it waits. */
async function besideAnother(world: TortureWorld, random: Random): Promise<Pair> {
  const [first] = world.instances.running;
  const second = await world.instances.spawn();
  if (random.below(4) > 0) await world.instances.until(second, 'waiting', WAITS_WITHIN_MS);
  await pause(systemClock, random.below(SECOND_LIVES_MS_MAX));
  return { first, second };
}
