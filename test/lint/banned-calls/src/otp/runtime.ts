// What the process layer may do, and three things that it may not.
import { createActor, setup } from 'xstate';

export const actor = createActor(setup({}).createMachine({}));
setImmediate(() => undefined); // refused: no-restricted-globals
setTimeout(() => undefined, 1); // refused: no-restricted-globals
// A line that goes on and on, until whoever reads it beside another window has to scroll, and has lost the beginning by then. refused: max-len
