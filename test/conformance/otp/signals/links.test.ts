import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { effects } from '../../../../src/otp/effects.ts';
import type { Exit, ExitReason, Pid } from '../../../../src/otp/process.ts';
import { World } from '../../../support/otp/world.ts';
import { outcomesOf } from '../support/races.ts';
import { nobody, strangers } from '../support/strangers.ts';
import { link, stop, unlink } from '../support/told.ts';

const error: ExitReason = { error: { name: 'Error', message: 'broken' } };
const told = (process: Pid, reason: ExitReason) => ({ type: 'EXIT', process, reason, fromParent: false });

test.each<[ExitReason]>([['shutdown'], [{ shutdown: 'moved' }], ['killed'], ['noproc'], [error]])(
  'S1-024 a linked process that ended with %j takes along who does not trap, with the same reason',
  async (reason) => {
    const { world, a, b } = await strangers();
    world.tell(a, link(b));

  world.tell(b, stop(reason));

  expect(world.reasonOf(a)).toEqual(reason);
});

test('S1-025 a linked process that ended as normal leaves who does not trap alone, and says nothing', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, link(b));

  world.tell(b, stop('normal'));

  expect({ alive: world.isAlive(a), seen: world.seen(a), links: world.runtime.processInfo(a)?.links }).toEqual({
    alive: true,
    seen: [],
    links: ['outside'],
  });
});

test.each<[ExitReason]>([['normal'], ['shutdown'], [{ shutdown: 'moved' }], ['killed'], ['noproc'], [error]])(
  'S1-026 who traps is told of the end of a linked process with %j',
  async (reason) => {
    const { world, a, b } = await strangers('a');
    world.tell(a, link(b));

  world.tell(b, stop(reason));

  expect(world.seen(a)).toEqual([told(b, reason)]);
});

test('S1-027 linked twice is linked once: one EXIT, and one unlink takes it away', async () => {
  const { world, a, b, c } = await strangers('a');
  world.tell(a, link(b), link(b), link(c));
  world.tell(c, link(a));
  world.tell(a, unlink(c));

  world.tell(c, stop('killed'));
  world.tell(b, stop('killed'));

  expect(world.seen(a)).toEqual([told(b, 'killed')]);
});

/** Keeps the EXITs that come while it is busy until it is told to go on; unlinks when it is told to. */
const busy = setup({
  types: { context: {} as { seen: readonly Exit[] }, events: {} as Exit | { type: 'unlink'; process: Pid } | { type: 'goOn' } },
  actions: { ...effects },
}).createMachine({
  context: { seen: [] },
  initial: 'busy',
  states: {
    busy: {
      on: {
        EXIT: { actions: 'postpone' },
        unlink: { actions: { type: 'unlink', params: ({ event }) => ({ process: event.process }) } },
        goOn: 'free',
      },
    },
    free: { on: { EXIT: { actions: { type: 'stop', params: ({ event }) => ({ reason: { shutdown: event } }) } } } },
  },
});

test('S1-028 nothing arrives after an unlink, and an EXIT that had arrived stays', async () => {
  const world = new World();
  const [early, late] = [await world.puppet('early'), await world.puppet('late')];
  const [kept, spared] = [
    await world.start({ machine: busy, trapExit: true }, 'kept'),
    await world.start({ machine: busy, trapExit: true }, 'spared'),
  ];
  world.tell(early, link(kept));
  world.tell(late, link(spared));

  world.exit(early, 'kill');
  world.send(kept, { type: 'unlink', process: early });
  world.send(spared, { type: 'unlink', process: late });
  world.exit(late, 'kill');
  for (const pid of [kept, spared]) world.send(pid, { type: 'goOn' });

  expect({ kept: world.reasonOf(kept), spared: world.isAlive(spared) }).toEqual({
    kept: { shutdown: told(early, 'killed') },
    spared: true,
  });
});

test('S1-029 to unlink who is not linked, is dead or never was, does nothing', async () => {
  const { world, a, b, c } = await strangers();
  world.exit(c, 'kill');

  world.tell(a, unlink(b), unlink(c), unlink(nobody), unlink(a));

  expect([world.isAlive(a), world.isAlive(b), world.seen(a)]).toEqual([true, true, []]);
});

test('S1-030 a link to the dead is told as noproc to who traps, and ends who does not', async () => {
  const { world, a, b, c } = await strangers('a');
  world.exit(c, 'kill');

  world.tell(a, link(c));
  world.tell(b, link(c));

  expect({ a: world.seen(a), b: world.reasonOf(b) }).toEqual({ a: [told(c, 'noproc')], b: 'noproc' });
});

test("S1-032 an unlink that comes before the other's exit saves the process, one that comes after finds it dead", async () => {
  const outcomes = await outcomesOf(200, async (scheduler) => {
    const { world, a, b } = await strangers('', scheduler);
    world.tell(a, link(b));
    world.runtime.send(b, { type: 'do', effects: [stop({ shutdown: 'b' })] });
    world.runtime.send(a, { type: 'do', effects: [unlink(b)] });
    world.runtime.drain();
    return world.reasonOf(a) ?? 'alive';
  });

  expect(outcomes).toEqual(['alive', { shutdown: 'b' }]);
});
