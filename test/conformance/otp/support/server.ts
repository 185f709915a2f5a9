/** Server: what a gen_server is here, a machine of one state that answers now, later, through another, or with its end. */
import { assign, setup } from 'xstate';
import { effects } from '../../../../src/otp/effects.ts';
import type { Address, ExitReason, MachineSpec, Pid, ReplyTo } from '../../../../src/otp/process.ts';

type ServerEvent =
  | { type: 'add'; by: number; replyTo: ReplyTo }
  | { type: 'hold'; replyTo: ReplyTo }
  | { type: 'release' | 'releaseTwice' | 'fail' }
  | { type: 'answerHeld'; note: string }
  | { type: 'pass'; to: Address; replyTo: ReplyTo }
  | { type: 'answerFor'; caller: ReplyTo; note: string }
  | { type: 'quit'; reason: ExitReason; replyTo: ReplyTo }
  | { type: 'leave'; reason: ExitReason; replyTo?: ReplyTo };

interface ServerContext {
  readonly self: Pid;
  readonly total: number;
  readonly held: readonly ReplyTo[];
}

const replyToHeld = {
  type: 'replyToEach',
  params: ({ context }: { context: ServerContext }) => ({ to: context.held, event: { type: 'seen.released' } }),
} as const;

const server = setup({
  types: { input: {} as { self: Pid }, context: {} as ServerContext, events: {} as ServerEvent },
  actions: {
    ...effects,
    add: assign(({ context }, by: number) => ({ total: context.total + by })),
    keep: assign(({ context }, caller: ReplyTo) => ({ held: [...context.held, caller] })),
    forgetAll: assign({ held: [] }),
    fail: () => {
      throw new Error('server failed');
    },
  },
}).createMachine({
  id: 'server',
  context: ({ input }) => ({ self: input.self, total: 0, held: [] }),
  on: {
    add: {
      actions: [
        { type: 'add', params: ({ event }) => event.by },
        { type: 'reply', params: ({ context, event }) => ({ to: event.replyTo, event: { type: 'seen.total', total: context.total } }) },
      ],
    },
    hold: { actions: { type: 'keep', params: ({ event }) => event.replyTo } },
    release: { actions: [replyToHeld, 'forgetAll'] },
    releaseTwice: { actions: [replyToHeld, replyToHeld, 'forgetAll'] },
    answerHeld: {
      actions: {
        type: 'replyToEach',
        params: ({ context, event }) => ({ to: context.held, event: { type: 'seen.answered', by: context.self, note: event.note } }),
      },
    },
    pass: {
      actions: {
        type: 'send',
        params: ({ event }) => ({ to: event.to, event: { type: 'answerFor', caller: event.replyTo, note: 'passed on' } }),
      },
    },
    answerFor: {
      actions: {
        type: 'reply',
        params: ({ context, event }) => ({ to: event.caller, event: { type: 'seen.answered', by: context.self, note: event.note } }),
      },
    },
    quit: {
      actions: [
        { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'seen.bye' } }) },
        { type: 'stop', params: ({ event }) => ({ reason: event.reason }) },
      ],
    },
    leave: { actions: { type: 'stop', params: ({ event }) => ({ reason: event.reason }) } },
    fail: { actions: 'fail' },
  },
});

export function serverSpec(options: Partial<MachineSpec> = {}): MachineSpec {
  return { machine: server, ...options };
}
