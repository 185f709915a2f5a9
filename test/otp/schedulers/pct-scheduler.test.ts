/** Bugs that need a certain order: how often one run finds them, against what the theorem says and against pure chance. */
import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import {
  choosingScheduler, randomScheduler, replayScheduler, type ChoosingScheduler,
} from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { pctScheduler, type PctOptions } from '../../../src/otp/schedulers/pct-scheduler.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { puppetSpec, type Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const OTHER_WORK = 12;

type RoomEvent = { type: 'check' | 'take' | 'book' | 'audit' | 'work' };

/** A room that one clerk checks and then books, another takes, and an auditor looks at: nobody asked whether it still is free. */
const room = setup({ types: { events: {} as RoomEvent } }).createMachine({
  id: 'room',
  initial: 'free',
  on: { '*': {} },
  states: {
    free: { on: { check: 'checked' } },
    checked: { on: { take: 'taken', book: 'booked' } },
    taken: { on: { book: 'bookedTwice' } },
    booked: {},
    bookedTwice: { on: { audit: 'foundOut' } },
    foundOut: {},
  },
});

const SENDERS: Readonly<Record<string, readonly RoomEvent['type'][]>> = {
  clerk: ['check', 'book'],
  other: [...Array.from({ length: OTHER_WORK }, () => 'work' as const), 'take'],
  auditor: ['audit'],
};

/** `bookedTwice` needs the take after the check and before the booking; `foundOut` the audit after all that. */
const BUGS = [
  { depth: 2, bug: ['bookedTwice', 'foundOut'] },
  { depth: 3, bug: ['foundOut'] },
] as const;

async function play(scheduler: ChoosingScheduler): Promise<string> {
  const world = new World(scheduler);
  const target = await world.start({ machine: room }, 'room');
  const senders = await Promise.all(Object.keys(SENDERS).map((id) => world.puppet(id)));
  for (const [index, types] of Object.values(SENDERS).entries()) {
    world.runtime.send(senders[index] ?? target, { type: 'do', effects: types.map((type) => sending(target, type)) });
  }
  world.runtime.drain();
  return String(world.runtime.processInfo(target)?.state);
}

function sending(to: Pid, type: RoomEvent['type']): Told {
  return { type: 'send', params: { to, event: { type } } };
}

/** How many channels there are to choose among, and how often there is a choice, at most. */
async function sizeOf(runs: number): Promise<{ readonly channels: number; readonly steps: number }> {
  const channels = new Set<string>();
  let steps = 0;
  for (let seed = 0; seed < runs; seed += 1) {
    const random = seededRandom(seed);
    const scheduler = choosingScheduler((candidates) => {
      candidates.forEach(({ channel }) => channels.add(channel));
      return random.below(candidates.length);
    });
    await play(scheduler);
    steps = Math.max(steps, scheduler.choices.length);
  }
  return { channels: channels.size, steps };
}

async function findings(runs: number, bug: readonly string[], scheduler: (seed: number) => ChoosingScheduler): Promise<number> {
  let found = 0;
  for (let seed = 0; seed < runs; seed += 1) if (bug.includes(await play(scheduler(seed)))) found += 1;
  return found;
}

test.each(BUGS)('finds a bug of depth $depth as often as the theorem says, pure chance hardly ever', async ({ depth, bug }) => {
  const { channels, steps } = await sizeOf(20);
  const promised = 1 / (channels * steps ** (depth - 1));
  const runs = 2_000;

  const found = await findings(runs, bug, (seed) => pctScheduler({ seed, depth, stepsMax: steps }));
  const byChance = await findings(runs, bug, randomScheduler);

  expect({ asPromised: found >= promised * runs, tenTimesChance: found >= 10 * byChance }).toEqual({
    asPromised: true,
    tenTimesChance: true,
  });
});

test('a run that found something is played again from its choices', async () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed);
  const runs = await Promise.all(
    seeds.map(async (seed) => {
      const scheduler = pctScheduler({ seed, depth: 2, stepsMax: 20 });
      return { state: await play(scheduler), choices: scheduler.choices };
    }),
  );
  const found = runs.find(({ state }) => state === 'bookedTwice');

  expect(await play(replayScheduler(found?.choices))).toBe('bookedTwice');
});

test('the same seed chooses the same', async () => {
  const one = pctScheduler({ seed: 5, depth: 3, stepsMax: 20 });
  const other = pctScheduler({ seed: 5, depth: 3, stepsMax: 20 });
  await play(one);
  await play(other);

  expect(one.choices).toEqual(other.choices);
});

const SOURCES = ['a', 'b', 'c'];

/** @returns from whom messages were delivered, one after the other, when each of the sources had sent three. */
function deliveries(options: PctOptions): readonly string[] {
  const scheduler = pctScheduler(options);
  const kernel = new ProcessKernel(new ManualClock(), scheduler);
  const order: string[] = [];
  const target = kernel.spawn(puppetSpec(), { id: 'target', parent: kernel.outside });
  while (scheduler.step());
  for (const pid of SOURCES) {
    for (const type of ['seen.1', 'seen.2', 'seen.3']) {
      kernel.enqueue(target, { kind: 'message', source: { pid: pid as Pid }, message: { type } });
    }
  }
  kernel.tracer = (record) => record.type === 'deliver' && order.push(record.from);
  while (scheduler.step());
  return order;
}

const seeds = Array.from({ length: 50 }, (_, seed) => seed);

test('without a change of priority a channel is emptied before the next', () => {
  expect(
    seeds
      .map((seed) => deliveries({ seed, depth: 1, stepsMax: 8 }))
      .map((order) => order.filter((type, index) => type !== order[index - 1]).length),
  ).toEqual(seeds.map(() => 3));
});

test('of two channels that fell below all others, either may have fallen lower', () => {
  const returns = seeds.map((seed) => {
    // The first step changes one, the second the next.
    const [second = '', third, , , next = ''] = deliveries({ seed, depth: 3, stepsMax: 2 });
    const first = SOURCES.find((source) => source !== second && source !== third) ?? '';
    return `${next === first ? 'first' : 'second'} ${first < second ? 'of the first' : 'of the second'} source`;
  });

  expect(new Set(returns).size).toBe(4);
});

test.each([[0, 10], [1.5, 10], [3, 1], [2, 1.5]])('cannot change priorities %d - 1 times in %d steps', (depth, stepsMax) => {
  expect(() => pctScheduler({ seed: 1, depth, stepsMax })).toThrow();
});
