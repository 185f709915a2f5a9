/** What code does that no type holds back: it ends the process that it is in, and never the runtime. */
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { dynamicSupervisor } from '../../src/otp/supervision/dynamic-supervisor.ts';
import { InvalidSpecError } from '../../src/otp/supervision/child-spec-faults.ts';
import type { ExitReason, Message, Name, Pid } from '../../src/otp/process.ts';
import { productionScheduler } from '../../src/otp/schedulers/production-scheduler.ts';
import { supervisor } from '../../src/otp/supervision/supervisor.ts';
import { puppetSpec, type Told } from '../support/otp/puppet.ts';
import { World } from '../support/otp/world.ts';

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

const untold = {
  toString() {
    throw new Error('not telling');
  },
};

/** Throws or ends with what it is sent. */
const outlet = setup({
  types: { context: {} as { what: unknown }, events: {} as { type: 'throw' | 'end'; what: unknown } },
  actions: {
    throw: (_, what: unknown) => {
      throw what;
    },
    note: assign((_, what: unknown) => ({ what })),
  },
}).createMachine({
  id: 'outlet',
  context: { what: undefined },
  output: ({ context }) => ({ reason: context.what }),
  initial: 'open',
  states: {
    open: {
      on: { throw: { actions: { type: 'throw', params: whatOf } }, end: { target: 'ended', actions: { type: 'note', params: whatOf } } },
    },
    ended: { type: 'final' },
  },
});

function whatOf({ event }: { event: { what: unknown } }): unknown {
  return event.what;
}

test.each([
  ['an object without a prototype', Object.create(null), 'something that cannot be told'],
  ['what cannot be made a text', untold, 'something that cannot be told'],
  ['an error whose message is no text', Object.assign(new Error('x'), { message: 10n }), '10'],
  ['nothing', undefined, 'undefined'],
])('a throw of %s is a crash like any other', async (_, what: unknown, message) => {
  const world = new World();
  const pid = await world.start({ machine: outlet }, 'outlet');

  world.send(pid, { type: 'throw', what });

  expect(world.reasonOf(pid)).toMatchObject({ error: { message } });
});

test.each([
  ['a BigInt', 10n],
  ['a cycle', cyclic],
  ['a symbol', Symbol('no reason')],
  ['null', null],
])('an output whose reason is %s is no exit reason', async (_, what: unknown) => {
  const world = new World();
  const pid = await world.start({ machine: outlet }, 'outlet');

  world.send(pid, { type: 'end', what });

  expect(world.reasonOf(pid)).toMatchObject({ error: { name: 'InvalidExitReasonError' } });
});

test('a start that fails for a reason that is no JSON is told', async () => {
  const world = new World();
  const dying = supervisor({
    strategy: 'one_for_one',
    children: [{ id: 'child', start: () => puppetSpec({ name: '@taken', input: { big: 1n } }) }],
  });
  await world.puppet('holder', { name: '@taken' });
  const port = { open: ({ exit }: { exit: (error: unknown) => void }) => void exit({ shutdown: cyclic }) };
  const starts = [world.start(dying, 'dying'), world.start({ open: port.open } as never, 'port')];

  expect(await Promise.allSettled(starts)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
});

test.each(['because', null, undefined, 5, 10n, {}])(
  'an exit with %s, which is no reason, is a crash of the one that gave it',
  async (reason: unknown) => {
    const world = new World();
    const [giver, other] = [await world.puppet('giver'), await world.puppet('other')];

    world.tell(giver, { type: 'exit', params: { process: other, reason: reason as ExitReason } });

    expect([world.reasonOf(giver), world.isAlive(other)]).toEqual([
      expect.objectContaining({ error: expect.objectContaining({ name: 'InvalidExitReasonError' }) }),
      true,
    ]);
  },
);

test.each([
  ['an object', {}],
  ['a promise', Promise.resolve()],
  ['nothing', undefined],
])('a start that gives %s for a machine is a failed one', async (_, machine: unknown) => {
  const world = new World();
  const pid = await world.start(
    dynamicSupervisor({ templates: { odd: () => ({ start: () => ({ machine }) as never, restart: 'temporary' }) } }),
    'sup',
  );

  expect(await world.ask(pid, { type: 'startChild', template: 'odd', args: {} })).toMatchObject({
    type: 'child.refused',
    reason: { error: { name: 'TypeError' } },
  });
});

test.each([undefined, null, 'text', 5, {}])(
  'a start of %j, which is neither a machine nor a port, is a failed one',
  async (spec: unknown) => {
    const { runtime } = new World(productionScheduler());
    const starts = [() => runtime.start(spec as never, { id: 'odd' }), () => runtime.start(spec as never, undefined as never)];

    const outcomes = await Promise.allSettled(starts.map((start) => start()));

    expect({ outcomes, tree: runtime.tree() }).toMatchObject({
      outcomes: [{ reason: { name: 'StartError', reason: { error: { name: 'TypeError' } } } }, { reason: { name: 'TypeError' } }],
      tree: [],
    });
  },
);

test('a template is one that was written down, not what every object has', async () => {
  const world = new World();
  const pid = await world.puppet('p', { spawns: {} });

  world.tell(pid, { type: 'spawn', params: { template: 'constructor', as: 'seen' } });

  expect(world.reasonOf(pid)).toMatchObject({ error: { name: 'InvariantError' } });
});

test.each([undefined, null, 'text', 5, {}, { type: 5 }])(
  'a port that answers with %j has failed, and its caller is told so',
  async (answer: unknown) => {
    const world = new World();
    const caller = await world.puppet('caller');
    const answers: Record<string, () => unknown> = { at_once: () => answer, later: async () => answer };
    const ports = await Promise.all(
      ['at_once', 'later'].map((id) => world.start({ open: () => ({ requests: answers as Record<string, () => Message> }) }, id)),
    );
    const calls = ports.map((to): Told => ({ type: 'call', params: { to, request: { type: to.slice(0, to.indexOf('#')) }, as: 'seen' } }));

    world.tell(caller, ...calls);
    await world.settle();

    expect(world.seen(caller)).toMatchObject(
      ports.map((to) => ({
        type: 'seen.failed',
        to,
        reason: { error: { name: 'TypeError', message: expect.stringContaining('is no message') } },
      })),
    );
  },
);

test.each(['toString', 'constructor', '__proto__'])('a port knows no request %s that it does not name', async (type) => {
  const world = new World();
  const pid = await world.start({ open: () => ({ requests: {}, casts: {} }) }, 'port');

  world.send(pid, { type });

  expect(world.reasonOf(pid)).toMatchObject({ error: { name: 'UnknownRequestError' } });
});

test.each([undefined, null, 'text', {}, { type: 5 }])('%j sent as a message ends the receiver alone', async (message: unknown) => {
  const runtime = new World(productionScheduler()).runtime;
  const start = (id: string): Promise<Pid> => {
    const started = runtime.start(puppetSpec(), { id });
    runtime.drain();
    return started;
  };
  const [receiver, other] = [await start('receiver'), await start('other')];

  runtime.send(receiver, message as Message);
  runtime.send(other, { type: 'seen.later' });
  runtime.drain();

  expect([runtime.processInfo(receiver), runtime.processInfo(other)?.handled]).toEqual([undefined, 1]);
});

test('the event by which xstate stops an actor ends its process: nobody handles it, and nobody goes on without an actor', async () => {
  const world = new World();
  const pid = await world.puppet('p');

  world.send(pid, { type: 'xstate.stop' });

  expect(world.reasonOf(pid)).toMatchObject({ error: { name: 'UnhandledEventError' } });
});

test('a faulty specification is refused with its fault, though the value is no JSON', () => {
  const make = (): unknown => supervisor({ strategy: 'one_for_one', maxRestarts: 3n as never, children: [] });

  expect(make).toThrow(InvalidSpecError);
});

test.each([{ hibernateAfterMs: NaN }, { hibernateAfterMs: -1 }, { mailboxMax: NaN }, { mailboxMax: 0 }])(
  'a machine cannot start with %o',
  async (options) => {
    const world = new World();

    expect(await Promise.allSettled([world.puppet('p', options)])).toMatchObject([
      { reason: { reason: { error: { name: 'InvariantError' } } } },
    ]);
  },
);

test('a start that may take no number of milliseconds is refused, and stops nobody else’s timers', async () => {
  const world = new World();
  const [maker, other] = [await world.puppet('maker', { spawns: { kid: () => puppetSpec() } }), await world.puppet('other')];
  const root = world.runtime.start(puppetSpec(), { id: 'root', timeoutMs: NaN });

  world.tell(maker, { type: 'start', params: { template: 'kid', as: 'seen', timeoutMs: NaN } });
  world.tell(other, { type: 'startTimer', params: { name: 'tick', delayMs: 10 } });
  world.advance(10);

  expect([await Promise.allSettled([root]), world.reasonOf(maker), world.seen(other), world.runtime.printTree()]).toMatchObject([
    [{ reason: { name: 'RangeError' } }],
    { error: { name: 'InvariantError' } },
    [{ type: 'timeout.tick' }],
    expect.not.stringContaining('kid'),
  ]);
});

test.each(['bare', '', 5])('%j is no name: nobody would be found by it', async (name: unknown) => {
  const world = new World();
  const taker = await world.puppet('taker');
  const named = world.puppet('named', { name: name as Name });

  world.tell(taker, { type: 'register', params: { name: name as Name, as: 'seen' } });

  const refused = { error: { name: 'InvariantError', message: "a name begins with '@'" } };
  expect([world.reasonOf(taker), await Promise.allSettled([named])]).toMatchObject([refused, [{ reason: { reason: refused } }]]);
});

test('the code around the processes cannot give an exit with what is no reason', async () => {
  const world = new World();
  const pid = await world.puppet('p');

  expect([throws(() => world.exit(pid, 'because' as ExitReason)), world.isAlive(pid)]).toEqual([true, true]);
});

test('what a listener throws is thrown by the clock, and changes nothing for anybody', async () => {
  const world = new World();
  const [pid, watcher] = [await world.puppet('p'), await world.puppet('watcher')];
  world.tell(watcher, { type: 'monitor', params: { process: pid, as: 'seen' } });
  world.runtime.trace(() => {
    throw new Error('a listener failed');
  });

  world.exit(pid, 'kill');

  expect([world.seen(watcher), throws(() => world.advance(0))]).toEqual([[{ type: 'seen.down', process: pid, reason: 'killed' }], true]);
});

function throws(what: () => void): boolean {
  try {
    what();
    return false;
  } catch {
    return true;
  }
}
