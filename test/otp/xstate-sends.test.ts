/** What machines send by xstate's own means goes through mailboxes too; actors inside of a machine are its own affair. */
import { expect, test } from 'vitest';
import { assign, fromCallback, sendTo, setup, type AnyActorRef } from 'xstate';
import { World } from './support/world.ts';

test('comes from the process that sent it', async () => {
  const world = new World();
  const peer = await world.puppet('peer');
  const machine = setup({}).createMachine({ on: { go: { actions: sendTo(() => world.runtime.refOf(peer) as AnyActorRef, { type: 'seen.hello' }) } } });
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
    on: { go: { actions: sendTo('echo', { type: 'hello' }) }, '*': { actions: assign({ heard: ({ context, event }) => [...context.heard, event.type] }) } },
  });
  const pid = await world.start({ machine }, 'owner');

  world.send(pid, { type: 'go' });

  expect(world.runtime.refOf(pid)?.getSnapshot().context).toEqual({ heard: ['hello.echoed'] });
});
