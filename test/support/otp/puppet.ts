/** Puppet: a machine that does what it is told and remembers what it was sent. */
import { assign, setup } from 'xstate';
import { effects, type EffectParams } from '../../../src/otp/effects.ts';
import type { MachineSpec, Message, Table } from '../../../src/otp/process.ts';

export type Told = { [Name in keyof EffectParams]: { type: Name; params: EffectParams[Name] } }[keyof EffectParams];

type PuppetEvent =
  | { type: 'do'; effects: readonly Told[] }
  | { type: 'doAndFail'; effects: readonly Told[] }
  | { type: 'sleep' | 'wake' | 'fail' | 'finish' }
  | { type: `seen.${string}` };

const base = setup({
  types: { context: {} as { seen: readonly Message[] }, events: {} as PuppetEvent },
  actions: {
    ...effects,
    note: assign({ seen: ({ context, event }) => [...context.seen, event] }),
    fail: () => {
      throw new Error('told to fail');
    },
  },
});

export const puppet = base
  .extend({
    actions: {
      perform: base.enqueueActions(({ enqueue, event }) => {
        if (event.type === 'do' || event.type === 'doAndFail') for (const told of event.effects) enqueue(told);
      }),
    },
  })
  .createMachine({
    id: 'puppet',
    context: { seen: [] },
    initial: 'awake',
    states: {
      awake: {
        on: {
          do: { actions: 'perform' },
          doAndFail: { actions: ['perform', 'fail'] },
          sleep: 'asleep',
          fail: { actions: 'fail' },
          finish: 'finished',
          '*': { actions: 'note' },
        },
      },
      /** Postpones everything. */
      asleep: { on: { wake: 'awake', '*': { actions: 'postpone' } } },
      finished: { type: 'final' },
    },
  });

/** A table that keeps what it is given and answers each change, unless it is silent or bad. */
export class EchoTable implements Table<{ readonly echo?: Message; readonly bad?: boolean }> {
  apply({ echo, bad = false }: { readonly echo?: Message; readonly bad?: boolean }): Message | undefined {
    if (bad) throw new Error('a bad change');
    return echo;
  }

  clone(): EchoTable {
    return new EchoTable();
  }

  key(): string {
    return '';
  }
}

export function puppetSpec(options: Partial<MachineSpec> = {}): MachineSpec {
  return { machine: puppet, tables: () => ({ echo: new EchoTable() }), ...options };
}
