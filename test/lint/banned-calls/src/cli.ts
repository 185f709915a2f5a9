// What this one file may do, and one thing that it may not.
export const home = process.env['HOME'];
export const epochMs = Date.now(); // refused: no-restricted-properties
