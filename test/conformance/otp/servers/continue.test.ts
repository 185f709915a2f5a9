import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects } from '../../../../src/otp/effects.ts';
import type { ExitReason, MachineSpec, Message, Pid, ReplyTo } from '../../../../src/otp/process.ts';
import type { Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { logOf } from '../support/office.ts';

type WorkerEvent =
  | { type: 'ask'; replyTo: ReplyTo }
  | { type: 'cast' | 'prepare' | 'finish' | 'other' }
  | { type: 'end'; reason: ExitReason }
  | { type: 'endAfterwards'; reason: ExitReason }
  | { type: 'lose' };

const afterwards = (type: string) => ({ type: 'continue', params: { event: { type } } }) as const;

/** Does its work in steps: each request is continued by `prepare`, and that by `finish`. */
const worker = setup({
  types: { input: {} as { self: Pid }, context: {} as { log: readonly string[] }, events: {} as WorkerEvent },
  actions: { ...effects, write: assign({ log: ({ context, event }) => [...context.log, event.type] }) },
}).createMachine({
  id: 'worker',
  context: { log: [] },
  entry: afterwards('prepare'),
  on: {
    ask: {
      actions: [
        'write',
        { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'seen.reply' } }) },
        afterwards('prepare'),
      ],
    },
    cast: { actions: ['write', afterwards('prepare')] },
    prepare: { actions: ['write', { type: 'send', params: { to: '@caller', event: { type: 'seen.prepared' } } }, afterwards('finish')] },
    finish: { actions: 'write' },
    other: { actions: 'write' },
    endAfterwards: { actions: ['write', { type: 'continue', params: ({ event }) => ({ event: { type: 'end', reason: event.reason } }) }] },
    end: { actions: ['write', { type: 'stop', params: ({ event }) => ({ reason: event.reason }) }] },
    lose: { actions: afterwards('nobodyKnows') },
  },
});

async function startWorker(options: Partial<MachineSpec> = {}, waiting: readonly Message[] = []) {
  const world = new World();
  const caller = await world.puppet('caller', { name: '@caller' });
  const starting = world.runtime.start({ machine: worker, ...options }, { id: 'worker' });
  for (const { pid, id } of world.runtime.tree()) if (id === 'worker') for (const message of waiting) world.runtime.send(pid, message);
  world.runtime.drain();
  return { world, caller, worker: await starting };
}

test('S2-039 a server may continue from its start, before any message that waits, and from the continued event on', async () => {
  const { world, worker: pid } = await startWorker({}, [{ type: 'other' }]);

  expect(logOf(world, pid)).toEqual(['prepare', 'finish', 'other']);
});

test.each(['cast', 'ask'])(
  'S2-039 a server may continue from a %s: the chain keeps its order before any message that waits',
  async (type) => {
    const { world, worker: pid } = await startWorker();

  world.runtime.send(pid, { type, replyTo: '' });
  world.runtime.send(pid, { type: 'other' });
  world.runtime.drain();

  expect(logOf(world, pid)?.slice(2)).toEqual([type, 'prepare', 'finish', 'other']);
});

test('S2-039 the reply leaves before the server continues', async () => {
  const { world, caller, worker: pid } = await startWorker();
  const call: Told = { type: 'call', params: { to: pid, request: { type: 'ask' }, as: 'seen.call' } };

  world.tell(caller, call);

  expect(world.seen(caller).map(({ type }) => type)).toEqual(['seen.prepared', 'seen.reply', 'seen.prepared']);
});

test('S2-040 a server may end in a continued event, with its reason, and what waited is gone with it', async () => {
  const { world, worker: pid } = await startWorker();

  world.runtime.send(pid, { type: 'endAfterwards', reason: { shutdown: 'done' } });
  world.runtime.send(pid, { type: 'other' });
  world.runtime.drain();

  expect(world.reasonOf(pid)).toEqual({ shutdown: 'done' });
});

test('S2-030 a server that continues with an event that no state handles ends with it', async () => {
  const { world, worker: pid } = await startWorker();

  world.send(pid, { type: 'lose' });

  expect(world.reasonOf(pid)).toMatchObject({ error: { name: 'UnhandledEventError', message: expect.stringContaining("'nobodyKnows'") } });
});

test('S2-041 a server hibernates when it was idle for its time, any message wakes it, and it hibernates again', async () => {
  const { world, worker: pid } = await startWorker({ hibernateAfterMs: 100 });
  const hibernates = () => world.runtime.processInfo(pid)?.hibernates;
  const states = [hibernates()];

  world.advance(100);
  states.push(hibernates());
  world.send(pid, { type: 'other' });
  states.push(hibernates());
  world.advance(99);
  states.push(hibernates());
  world.advance(1);
  states.push(hibernates());

  expect({ states, handled: world.runtime.processInfo(pid)?.handled }).toEqual({ states: [false, true, false, false, true], handled: 3 });
});
