import { setTimeout as sleep } from 'node:timers/promises'; // refused: no-restricted-imports

export const epochMs = Date.now(); // refused: no-restricted-properties
export const today = new Date(); // refused: no-restricted-syntax
export const monotonicMs = performance.now(); // refused: no-restricted-properties
export const ticks = process.hrtime.bigint(); // refused: no-restricted-properties
export const dice = Math.random(); // refused: no-restricted-properties
export const id = crypto.randomUUID(); // refused: no-restricted-properties
export const home = process.env['HOME']; // refused: no-restricted-properties
export const given = new Date(0);

setTimeout(() => undefined, 1); // refused: no-restricted-globals
setInterval(() => undefined, 1); // refused: no-restricted-globals
setImmediate(() => undefined); // refused: no-restricted-globals
void sleep(1);
console.log('here'); // refused: no-console
