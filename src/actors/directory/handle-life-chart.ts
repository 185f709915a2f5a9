/** The chart of a handle's life, to be drawn and explored: its states are the ones in which the directory looks up what follows. */
import { setup } from 'xstate';
import { lifeStages, type LifeEvent } from './handle-life.ts';

export const handleLife = setup({ types: { events: {} as { type: LifeEvent } } }).createMachine({
  id: 'handle-life',
  initial: 'reserved',
  states: lifeStages,
});
