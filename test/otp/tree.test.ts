import { expect, test } from 'vitest';
import type { MachineSpec, Pid } from '../../src/otp/process.ts';
import { puppetSpec } from '../support/otp/puppet.ts';
import { World } from '../support/otp/world.ts';

/** Processes of which each has made the next one. */
async function chainOf(count: number): Promise<World> {
  const world = new World();
  const link: MachineSpec = puppetSpec({ spawns: { p: () => link } });
  let last = await world.start(link, 'p');
  for (let made = 1; made < count; made += 1) {
    world.tell(last, { type: 'spawn', params: { template: 'p', as: 'seen' } });
    last = world.seen(last)[0]?.process as Pid;
  }
  return world;
}

test('a tree is told and printed however deep it is', async () => {
  const { runtime } = await chainOf(4_000);

  const depths: number[] = [];
  for (let level = runtime.tree(); level.length > 0; level = level[0]?.children ?? []) depths.push(level.length);
  const lines = runtime.printTree().split('\n');

  expect({ depth: depths.length, lines: lines.length, last: lines.at(-1)?.replace(/^ */, '').slice(0, 8) }).toEqual({
    depth: 4_000,
    lines: 4_000,
    last: '└─ p p/p',
  });
});
