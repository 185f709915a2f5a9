import { expect, test } from 'vitest';
import type { Message, PortContext, PortHandle, PortSpec } from '../../../src/otp/process.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import type { Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

const port = (handle: PortHandle, log: string[] = []): PortSpec => ({
  open: ({ signal }) => {
    signal.addEventListener('abort', () => log.push('aborted'));
    return handle;
  },
  name: '@port',
});

const call = (type: string): Told => ({ type: 'call', params: { to: '@port', request: { type, n: 1 }, as: 'seen.call', timeoutMs: 100 } });

test('answers a request synchronously, within the same drain', async () => {
  const world = new World();
  await world.start(port({ requests: { double: ({ n }) => ({ type: 'seen.doubled', n: Number(n) * 2 }) } }), 'port');
  const caller = await world.puppet('caller');

  world.tell(caller, call('double'));

  expect(world.seen(caller)).toEqual([{ type: 'seen.doubled', n: 2 }]);
});

test('a request that can be answered at once is, and one that cannot is served like any other', async () => {
  const world = new World();
  const served: unknown[] = [];
  const handle: PortHandle = {
    atOnce: { halve: ({ n }) => (Number(n) % 2 === 0 ? { type: 'seen.halved', n: Number(n) / 2 } : undefined) },
    requests: { halve: ({ n }) => (served.push(n), { type: 'seen.odd', n }) },
  };
  await world.start(port(handle), 'port');
  const caller = await world.puppet('caller');
  const halve = (n: number): Told => ({ type: 'call', params: { to: '@port', request: { type: 'halve', n }, as: 'seen.call' } });

  world.tell(caller, halve(6), halve(7));

  expect({ seen: world.seen(caller), served }).toEqual({ seen: [{ type: 'seen.halved', n: 3 }, { type: 'seen.odd', n: 7 }], served: [7] });
});

test('answers a request when its promise resolves, and serves others meanwhile', async () => {
  const world = new World();
  const slow = deferred<Message>();
  await world.start(port({ requests: { slow: () => slow.promise, quick: () => ({ type: 'seen.quick' }) } }), 'port');
  const caller = await world.puppet('caller');

  world.tell(caller, call('slow'), call('quick'));
  slow.resolve({ type: 'seen.slow' });
  await world.settle();

  expect(world.seen(caller).map(({ type }) => type)).toEqual(['seen.quick', 'seen.slow']);
});

test.each([
  ['ends', (world: World, caller: string) => world.exit(caller as `@${string}`, 'kill')],
  ['gives up', (world: World) => world.advance(100)],
])('aborts a request whose caller %s', async (_, leave) => {
  const world = new World();
  const signals: AbortSignal[] = [];
  const handle: PortHandle = {
    requests: {
      wait: (_request, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    },
  };
  const pid = await world.start(port(handle), 'port');
  const caller = await world.puppet('caller', { name: '@caller' });
  world.tell(caller, call('wait'));

  leave(world, '@caller');

  expect({ aborted: signals.map((signal) => signal.aborted), alive: world.isAlive(pid) }).toEqual({ aborted: [true], alive: true });
});

test('tells a request that its answer is delivered, right before the caller handles it', async () => {
  const world = new World();
  const order: string[] = [];
  const table = { apply: () => void order.push('handled'), clone: () => table, key: () => '' };
  const handle: PortHandle = {
    requests: {
      ask: async (_request, signal) => {
        signal.addEventListener('abort', () => order.push('over'));
        return { type: 'do', effects: [{ type: 'apply', params: { table: 'noted', change: {} } }] };
      },
    },
  };
  await world.start(port(handle), 'port');
  const caller = await world.puppet('caller', { tables: () => ({ noted: table }) });
  world.tell(caller, call('ask'));
  const before = [...order];

  await world.settle();

  expect({ before, order }).toEqual({ before: [], order: ['over', 'handled'] });
});

test('a request that throws or rejects ends the port, after it has closed, and fails the call with that error', async () => {
  const world = new World();
  const closed: string[] = [];
  const handle = (how: () => Message | Promise<Message>): PortHandle => ({
    requests: { bad: how },
    close: () => void closed.push('closed'),
  });
  const caller = await world.puppet('caller');
  await world.start(port(handle(() => Promise.reject(new Error('rejected')))), 'first');
  world.tell(caller, call('bad'));
  await world.settle();
  await world.start(
    port(
      handle(() => {
        throw new Error('thrown');
      }),
    ),
    'second',
  );
  world.tell(caller, call('bad'));

  expect({ closed, seen: world.seen(caller) }).toMatchObject({
    closed: ['closed', 'closed'],
    seen: [{ reason: { error: { message: 'rejected' } } }, { reason: { error: { message: 'thrown' } } }],
  });
});

test('an unknown request is a bug of somebody: the port ends and says which', async () => {
  const world = new World();
  const pid = await world.start(port({ requests: {} }), 'port');

  world.send(pid, { type: 'nonsense' });

  expect(world.reasonOf(pid)).toMatchObject({ error: { name: 'UnknownRequestError' } });
});

test('casts want no answer, and what comes before the port is open waits', async () => {
  const world = new World();
  const opening = deferred<PortHandle>();
  const cast: unknown[] = [];
  const started = world.runtime.start({ open: () => opening.promise, name: '@port' }, { id: 'port' });
  world.runtime.drain();
  world.send('@port', { type: 'note', n: 1 });
  world.send('@port', { type: 'note', n: 2 });
  const before = cast.length;

  opening.resolve({ requests: {}, casts: { note: ({ n }) => void cast.push(n) } });
  await world.settle();
  await started;

  expect({ before, cast }).toEqual({ before: 0, cast: [1, 2] });
});

test('stops in good order: aborts, closes, and ends when closed', async () => {
  const world = new World();
  const closing = deferred<undefined>();
  const log: string[] = [];
  const pid = await world.start(port({ requests: {}, close: () => closing.promise }, log), 'port');

  world.exit(pid, 'shutdown');
  const before = world.isAlive(pid);
  closing.resolve(undefined);
  await world.settle();

  expect({ before, log, reason: world.reasonOf(pid) }).toEqual({ before: true, log: ['aborted'], reason: 'shutdown' });
});

test('a port that is killed while it closes is waited for no longer', async () => {
  const world = new World();
  const stuck: PortSpec = { open: () => ({ requests: {}, close: () => new Promise(() => undefined) }) };
  const root = await world.start(
    supervisor({ strategy: 'one_for_one', children: [{ id: 'stuck', start: () => stuck, shutdown: 200 }] }),
    'root',
  );

  world.exit(root, 'shutdown');
  const before = world.exits.length;
  world.advance(200);

  expect({ before, exits: world.exits.map(({ reason }) => reason) }).toEqual({ before: 0, exits: ['killed', 'shutdown'] });
});

test('an open that fails is a start that fails; told to stop meanwhile, it ends as told', async () => {
  const world = new World();
  const opening = deferred<PortHandle>();
  const stopped = world.runtime.start({ open: () => opening.promise }, { id: 'slow' }).catch((error: unknown) => error);
  world.runtime.drain();
  world.exit(world.runtime.tree()[0]?.pid ?? '@none', 'shutdown');
  opening.reject(new Error('aborted'));
  await world.settle();
  const failed = world.start({ open: () => Promise.reject(new Error('no socket')) }, 'failing').catch((error: unknown) => error);
  await world.settle();

  expect([await stopped, await failed]).toMatchObject([{ reason: 'shutdown' }, { reason: { error: { message: 'no socket' } } }]);
});

test('a port sends by itself, and ends by itself', async () => {
  const world = new World();
  const caller = await world.puppet('caller', { name: '@caller' });
  const contexts: PortContext[] = [];
  const pid = await world.start(
    {
      open: (context) => {
        contexts.push(context);
        return { requests: {} };
      },
    },
    'port',
  );
  world.tell(caller, { type: 'monitor', params: { process: pid, as: 'seen.port' } });

  contexts[0]?.send('@caller', { type: 'seen.news' });
  contexts[0]?.exit(new Error('connection lost'));
  contexts[0]?.send('@caller', { type: 'seen.afterwards' });
  world.runtime.drain();

  expect(world.seen(caller)).toMatchObject([
    { type: 'seen.news' },
    { type: 'seen.port.down', reason: { error: { message: 'connection lost' } } },
  ]);
});

test('stopping aborts the requests that are under way', async () => {
  const world = new World();
  const signals: AbortSignal[] = [];
  const handle: PortHandle = {
    requests: {
      wait: (_request, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    },
  };
  const pid = await world.start(port(handle), 'port');
  const caller = await world.puppet('caller');
  world.tell(caller, call('wait'));

  world.exit(pid, 'shutdown');

  expect({ aborted: signals.map((signal) => signal.aborted), seen: world.seen(caller) }).toMatchObject({
    aborted: [true],
    seen: [{ reason: 'shutdown' }],
  });
});

test('a port that failed has five seconds to close, and leaves no timer behind', async () => {
  const world = new World();
  const closing = deferred<undefined>();
  const stuck = await world.start(port({ requests: {}, close: () => new Promise(() => undefined) }), 'stuck');
  world.send(stuck, { type: 'nonsense' });
  world.advance(4_999);
  const before = world.isAlive(stuck);
  world.advance(1);
  const quick = await world.start(port({ requests: {}, close: () => closing.promise }), 'quick');
  world.send(quick, { type: 'nonsense' });
  closing.resolve(undefined);
  await world.settle();

  expect({ before, ends: world.exits.length, timers: world.clock.pendingTimers }).toEqual({ before: true, ends: 2, timers: 0 });
});

test('a port whose name is taken is never opened', async () => {
  const world = new World();
  await world.puppet('holder', { name: '@port' });
  const log: string[] = [];
  const open = () => {
    log.push('opened');
    return { requests: {} };
  };

  const failed = await world.start({ open, name: '@port' }, 'port').catch((error: unknown) => error);

  expect({ log, failed }).toMatchObject({ log: [], failed: { reason: { error: { name: 'already_started' } } } });
});

test('a port that is sent too much ends, also when its close never does', async () => {
  const world = new World();
  const hanging = await world.start(
    { open: () => ({ requests: {}, casts: { work: () => undefined }, close: () => new Promise<void>(() => undefined) }), name: '@hanging' },
    'hanging',
  );
  for (let count = 0; count <= 100_000; count += 1) world.runtime.send('@hanging', { type: 'work' });
  world.advance(5_000);

  expect({ reason: world.reasonOf(hanging), name: world.runtime.whereis('@hanging') }).toMatchObject({
    reason: { error: { name: 'MailboxOverflowError' } },
    name: undefined,
  });
});

test('of two limits to its life the earlier holds', async () => {
  const world = new World();
  const never = (): Promise<void> => new Promise(() => undefined);
  const child = {
    id: 'port',
    start: (): PortSpec => ({
      open: ({ exit }) => ({ requests: {}, casts: { fail: () => exit(new Error('failed')) }, close: never }),
      name: '@port',
    }),
    shutdown: 60_000,
  };
  const root = await world.start(supervisor({ strategy: 'one_for_one', children: [child] }), 'root');
  const port = world.runtime.whereis('@port') ?? root;
  world.send('@port', { type: 'fail' });
  world.exit(root, 'kill');
  world.advance(5_000);

  expect({ alive: world.isAlive(port), timers: world.clock.pendingTimers }).toEqual({ alive: false, timers: 0 });
});

test('aborts what it is asked when it begins to close, and what it has answered no more', async () => {
  const world = new World();
  const [closing, slow] = [deferred<undefined>(), deferred<Message>()];
  const signals: AbortSignal[] = [];
  const noting = (answer: Promise<Message>) => (_request: Message, signal: AbortSignal) => (signals.push(signal), answer);
  const handle: PortHandle = {
    requests: { wait: noting(new Promise(() => undefined)), slow: noting(slow.promise) },
    close: () => closing.promise,
  };
  const pid = await world.start(port(handle), 'port');
  for (const type of ['wait', 'slow']) world.send(pid, { type });
  slow.resolve({ type: 'seen.slow' });
  await world.settle();

  world.exit(pid, 'shutdown');

  expect({ alive: world.isAlive(pid), aborted: signals.map(({ aborted }) => aborted) }).toEqual({ alive: true, aborted: [true, false] });
});

test.each([
  ['throws', () => fail('no way back')],
  ['rejects', async () => fail('no way back')],
])('a close that %s is what the port ended of, also when nobody waits for it', async (_, close) => {
  const world = new World();
  const [stopped, killed] = [
    await world.start({ open: () => ({ requests: {}, close }) }, 'stopped'),
    await world.start({ open: () => ({ requests: {}, close }) }, 'killed'),
  ];
  const watcher = await world.puppet('watcher');
  world.tell(watcher, ...[stopped, killed].map((process): Told => ({ type: 'monitor', params: { process, as: 'seen' } })));
  world.exit(stopped, 'shutdown');
  await world.settle();
  world.exit(killed, 'kill');
  await world.settle();

  expect(world.seen(watcher)).toMatchObject([
    { process: stopped, reason: { error: { message: 'no way back' } } },
    { process: killed, reason: 'killed' },
  ]);
});

/** xstate's own word for it: a snapshot of logic that is no machine does not say. */
const XSTATE_STOPPED = 2;

test('a port that is killed closes, and ends only once', async () => {
  const world = new World();
  const pid = await world.start(port({ requests: {}, close: () => undefined }), 'port');
  world.exit(pid, 'kill');

  expect(world.exits).toEqual([{ process: pid, reason: 'killed' }]);
});

test('leaves no actor in the system of actors when it has ended', async () => {
  const world = new World();
  const pid = await world.start(port({ requests: {} }), 'port');
  const actor = world.runtime.refOf(pid);
  const isStopped = () => Reflect.get(actor ?? {}, '_processingStatus') === XSTATE_STOPPED;
  const before = isStopped();
  world.exit(pid, 'shutdown');

  expect({ before, after: isStopped() }).toEqual({ before: false, after: true });
});

function fail(message: string): never {
  throw new Error(message);
}
