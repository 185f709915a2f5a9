/** Requester: one request of a client, from the moment when the service can serve it to its answer. What it asks, its table knows. */
import { assign, setup } from 'xstate';
import { effects } from '../../../src/otp/effects.ts';
import type { CallFailed, Message } from '../../../src/otp/process.ts';
import type { RequestAnswer } from './request-answer.ts';
import type { RequestChange, RequestTold } from './request-way.ts';

type Answered =
  | { type: 'shape.created' | 'shape.notCreated' | 'shape.deleted' | 'shape.unknown' | 'snapshot.isStarted' | 'snapshot.hasFailed' }
  | { type: 'log.rotated' }
  | (CallFailed & { type: 'asked.failed' });

const GO_ON = { actions: { type: 'apply', params: ({ event }: { event: Message }) => change({ took: event }) } } as const;

export const requester = setup({
  types: {
    context: {} as { answer: RequestAnswer | null },
    events: {} as Answered | RequestTold,
    output: {} as { reason: { shutdown: RequestAnswer | null } },
  },
  actions: { ...effects, noteAnswer: assign((_, { answer }: { answer: RequestAnswer }) => ({ answer })) },
}).createMachine({
  id: 'requester',
  context: { answer: null },
  output: ({ context }) => ({ reason: { shutdown: context.answer } }),
  entry: { type: 'apply', params: change('begin') },
  on: {
    'shape.created': GO_ON,
    'shape.notCreated': GO_ON,
    'shape.deleted': GO_ON,
    'shape.unknown': GO_ON,
    'snapshot.isStarted': GO_ON,
    'snapshot.hasFailed': GO_ON,
    'log.rotated': GO_ON,
    'asked.failed': GO_ON,
    'request.asks': {
      target: '.asking',
      actions: { type: 'call', params: ({ event: { to, request } }) => ({ to, request, as: 'asked' }) },
    },
    'request.tells': {
      actions: [
        { type: 'send', params: ({ event: { to, message } }) => ({ to, event: message }) },
        { type: 'apply', params: change({ took: { type: 'reader.noted' } }) },
      ],
    },
    'request.waits': '.waiting',
    'request.ends': { target: '.answered', actions: { type: 'noteAnswer', params: ({ event }) => event } },
  },
  initial: 'going',
  states: { going: {}, asking: {}, waiting: {}, answered: { type: 'final' } },
});

function change(of: RequestChange) {
  return { table: 'way', change: of };
}
