// What the process layer may do, and one thing that it may not.
import { createActor, setup } from 'xstate';

export const actor = createActor(setup({}).createMachine({}));
setImmediate(() => undefined);
setTimeout(() => undefined, 1); // refused: no-restricted-globals
