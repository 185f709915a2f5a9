/** What machines send by xstate's own means goes through mailboxes too; actors inside of a machine are its own affair. */
import { expect, test } from 'vitest';
import { assign, fromCallback, sendTo, setup, type AnyActorRef } from 'xstate';
import { effects } from '../../../src/otp/effects.ts';
import { World } from '../../support/otp/world.ts';

test('comes from the process that sent it', async () => {
  const world = new World();
  const peer = await world.puppet('peer');
  const machine = setup({}).createMachine({
    on: { go: { actions: sendTo(() => world.runtime.refOf(peer) as AnyActorRef, { type: 'seen.hello' }) } },
  });
  const pid = await world.start({ machine }, 'sender');
  const sent: unknown[] = [];
  world.runtime.trace((record) => record.type === 'send' && sent.push([record.from, record.to, record.message.type]));

  world.send(pid, { type: 'go' });

  expect(sent).toEqual([
    ['outside', pid, 'go'],
    [pid, peer, 'seen.hello'],
  ]);
});

test('reaches an actor that the machine made itself, whose answer is an event like any other', async () => {
  const world = new World();
  const echo = fromCallback(({ sendBack, receive }) => receive(({ type }) => sendBack({ type: `${type}.echoed` })));
  const machine = setup({ types: { context: {} as { heard: readonly string[] } }, actors: { echo } }).createMachine({
    context: { heard: [] },
    invoke: { src: 'echo', id: 'echo' },
    on: {
      go: { actions: sendTo('echo', { type: 'hello' }) },
      '*': { actions: assign({ heard: ({ context, event }) => [...context.heard, event.type] }) },
    },
  });
  const pid = await world.start({ machine }, 'owner');

  world.send(pid, { type: 'go' });

  expect(world.runtime.refOf(pid)?.getSnapshot().context).toEqual({ heard: ['hello.echoed'] });
});

test('ends with the process, also when the machine throws', async () => {
  const world = new World();
  const gone: string[] = [];
  const inner = fromCallback(() => () => void gone.push('gone'));
  const fail = () => {
    throw new Error('told to fail');
  };
  const machine = setup({ actors: { inner }, actions: { fail } }).createMachine({
    invoke: { src: 'inner' },
    on: { fail: { actions: 'fail' } },
  });
  const [failing, killed] = [await world.start({ machine }, 'failing'), await world.start({ machine }, 'killed')];

  world.send(failing, { type: 'fail' });
  const failed = gone.length;
  world.exit(killed, 'kill');

  expect({ failed, killed: gone.length }).toEqual({ failed: 1, killed: 2 });
});

test('a machine that floods its own mailbox ends, and asks for nothing any more', async () => {
  const world = new World();
  const peer = await world.puppet('peer');
  const machine = setup({ actions: { ...effects } }).createMachine({
    on: {
      go: {
        actions: [
          sendTo(({ self }) => self, { type: 'go' }),
          sendTo(({ self }) => self, { type: 'go' }),
          { type: 'send', params: { to: peer, event: { type: 'seen.anything' } } },
        ],
      },
    },
  });
  const pid = await world.start({ machine, mailboxMax: 1 }, 'flood');

  world.send(pid, { type: 'go' });

  expect({ reason: world.reasonOf(pid), seen: world.seen(peer) }).toMatchObject({
    reason: { error: { name: 'MailboxOverflowError' } },
    seen: [],
  });
});
