/** A small supervised tree with a hand-over: a follower asks a keeper for its offset, and is told of what comes after. */
import { setup } from 'xstate';
import { effects } from '../../../src/otp/effects.ts';
import type { MachineSpec, ReplyTo } from '../../../src/otp/process.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';

const keeper = setup({
  types: { events: {} as { type: 'subscribe'; replyTo: ReplyTo } | { type: 'ask'; replyTo: ReplyTo } },
  actions: { ...effects },
}).createMachine({
  id: 'keeper',
  on: {
    subscribe: {
      actions: [
        { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'subscribed', offset: '7_0' } }) },
        { type: 'send', params: { to: '@follower', event: { type: 'appended', through: '8_0' } } },
      ],
    },
    ask: {},
  },
});

const follower = setup({ actions: { ...effects } }).createMachine({
  id: 'follower',
  initial: 'idle',
  on: { tell: {} },
  states: {
    idle: { on: { follow: 'subscribing' } },
    subscribing: {
      entry: { type: 'call', params: { to: '@keeper', request: { type: 'subscribe' }, as: 'keeper' } },
      on: { subscribed: 'live' },
    },
    live: { on: { appended: {} } },
  },
});

export function handOverTree(): MachineSpec {
  return supervisor({
    strategy: 'one_for_one',
    children: [
      { id: 'keeper', start: () => ({ machine: keeper, name: '@keeper' }) },
      { id: 'follower', start: () => ({ machine: follower, name: '@follower' }) },
      { id: 'port', start: () => ({ name: '@port', open: () => ({ requests: {}, casts: { mark: () => undefined } }) }) },
    ],
  });
}
