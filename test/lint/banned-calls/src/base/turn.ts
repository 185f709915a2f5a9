// What this one file may do, and one thing that it may not.
setImmediate(() => undefined);
setTimeout(() => undefined, 1); // refused: no-restricted-globals
