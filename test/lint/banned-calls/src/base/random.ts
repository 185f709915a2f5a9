// What this one file may do, and one thing that it may not.
export const dice = Math.random();
export const epochMs = Date.now(); // refused: no-restricted-properties
