import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { machines } from '../support/actors/machines.ts';
import { walkedMachines } from './walked-machines.ts';
import { coverageOf, type WalkedMachine } from './transition-coverage.ts';

const named: readonly [string, WalkedMachine][] = walkedMachines.map((walked) => [walked.machine.id, walked]);

test.each(named)('every transition of %s is taken by some path', (_, walked) => {
  expect(coverageOf(walked).untaken).toEqual([]);
});

test('every machine of the service is walked', () => {
  expect(walkedMachines.map(({ machine }) => machine.id).sort()).toEqual(machines.map(({ machine }) => machine.id).sort());
});

test('a transition that no path takes is named', () => {
  const machine = setup({ guards: { isNever: () => false } }).createMachine({
    id: 'lamp',
    initial: 'off',
    states: {
      off: { on: { press: [{ guard: 'isNever', target: 'broken' }, { target: 'on' }] } },
      on: { on: { press: 'off' } },
      broken: { on: { repair: 'off' } },
    },
  });

  const coverage = coverageOf({ machine, inputs: [{}], events: [{ type: 'press' }, { type: 'repair' }] });

  expect(coverage).toEqual({ transitionCount: 4, untaken: ['lamp.off > press #0', 'lamp.broken > repair'] });
});
