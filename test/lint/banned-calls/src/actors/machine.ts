import { createActor, fromPromise, setup, spawnChild } from 'xstate'; // refused: no-restricted-imports
import * as everything from 'xstate'; // refused: no-restricted-imports
export { interpret } from 'xstate'; // refused: no-restricted-imports

export const machine = setup({ actors: { load: fromPromise(() => Promise.resolve(1)) } }).createMachine({
  invoke: { src: 'load' }, // refused: no-restricted-syntax
  after: { 1000: 'late' }, // refused: no-restricted-syntax
  initial: 'early',
  states: {
    early: {
      after: { 50: 'late' }, // refused: no-restricted-syntax
      entry: { type: 'readBlock', params: { after: '0_0' } },
    },
    late: {
      invoke: { src: 'load' }, // refused: no-restricted-syntax
      states: {
        nested: {
          after: { 5: 'done' }, // refused: no-restricted-syntax
        },
        done: {},
      },
    },
  },
});

export const actor = createActor(machine);
export const hidden = everything.createActor(machine);
export const later = import('xstate'); // refused: no-restricted-syntax
export const child = spawnChild('load');
export const start = ({ spawn }: { spawn: (src: string) => void }): void => spawn('load'); // refused: no-restricted-syntax
