/** Starts: machines for each way in which a start can go, as the templates of whoever starts them. */
import { setup } from 'xstate';
import { effects } from '../../../../src/otp/effects.ts';
import type { ExitReason, MachineSpec, Message, Name, ProcessSpec } from '../../../../src/otp/process.ts';

const base = setup({
  types: { input: {} as { reason: unknown }, context: {} as { reason: unknown } },
  actions: {
    ...effects,
    raise: () => {
      throw new Error('cannot begin');
    },
  },
});
const context = ({ input }: { input: { reason: unknown } }) => ({ reason: input.reason });
const output = ({ context: { reason } }: { context: { reason: unknown } }) => ({ reason });

const up = base.createMachine({ id: 'up', context, on: { finish: { actions: { type: 'stop', params: { reason: 'normal' } } } } });

/** Connects first, and gives up after a second. */
const slow = base.createMachine({
  id: 'slow',
  context: { reason: { error: { name: 'StartTimeout', message: 'nobody connected' } } },
  output,
  initial: 'connecting',
  states: {
    connecting: {
      tags: 'starting',
      entry: { type: 'startTimer', params: { name: 'start', delayMs: 1_000, until: 'stateChange' } },
      on: { connected: 'up', 'timeout.start': 'gaveUp' },
    },
    up: {},
    gaveUp: { type: 'final' },
  },
});

/** Finds that there is nothing to do. */
const ignoring = base.createMachine({ id: 'ignoring', context, initial: 'idle', states: { idle: { type: 'final', tags: 'ignore' } } });
/** Says why it cannot begin. */
const refusing = base.createMachine({ id: 'refusing', context, output, initial: 'refused', states: { refused: { type: 'final' } } });
/** The same, by the effect. */
const stopping = base.createMachine({
  id: 'stopping',
  context,
  entry: { type: 'stop', params: ({ context: { reason } }) => ({ reason: reason as ExitReason }) },
});
const raising = base.createMachine({ id: 'raising', context, entry: 'raise' });

const machines = { up, slow, ignoring, refusing, stopping, raising };

export type StartName = keyof typeof machines;

export function startSpec(
  how: StartName,
  { reason = 'normal', name }: { readonly reason?: unknown; readonly name?: Name } = {},
): MachineSpec {
  return { machine: machines[how], input: { reason }, ...(name === undefined ? {} : { name }) };
}

/** For a machine that starts them itself: a template for each. */
export const starts: Readonly<Record<StartName, (args: Message) => ProcessSpec>> = {
  up: fromArgs('up'),
  slow: fromArgs('slow'),
  ignoring: fromArgs('ignoring'),
  refusing: fromArgs('refusing'),
  stopping: fromArgs('stopping'),
  raising: fromArgs('raising'),
};

function fromArgs(how: StartName): (args: Message) => ProcessSpec {
  return ({ reason, name }) => startSpec(how, { reason, ...(name === undefined ? {} : { name: name as Name }) });
}
