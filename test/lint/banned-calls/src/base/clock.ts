// What this one file may do, and one thing that it may not.
export const epochMs = Date.now();
export const monotonicMs = performance.now();
setTimeout(() => undefined, 1);
export const dice = Math.random(); // refused: no-restricted-properties
