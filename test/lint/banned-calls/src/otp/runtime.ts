// What the process layer may do, and two things that it may not.
import { createActor, setup } from 'xstate';

export const actor = createActor(setup({}).createMachine({}));
setImmediate(() => undefined); // refused: no-restricted-globals
setTimeout(() => undefined, 1); // refused: no-restricted-globals
