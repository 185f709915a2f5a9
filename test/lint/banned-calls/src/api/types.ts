import { Buffer } from 'node:buffer'; // refused: @typescript-eslint/consistent-type-imports
export * from './seams.ts'; // refused: no-restricted-syntax
import { given } from './seams.ts'; // refused: no-restricted-syntax

type Answer = 'yes' | 'no' | 'perhaps';

enum Colour { Red } // refused: no-restricted-syntax

export const loose: any = given; // refused: @typescript-eslint/no-explicit-any
// @ts-ignore refused: @typescript-eslint/ban-ts-comment
export const wrong: string = 1;
export const colour = Colour.Red;
export const bytes = (buffer: Buffer): number => buffer.length;

export function decide(answer: Answer): number {
  switch (answer) { // refused: @typescript-eslint/switch-exhaustiveness-check
    case 'yes':
      return 1;
    case 'no':
      return 0;
  }
  return -1;
}

export async function forget(): Promise<void> {
  Promise.resolve(1); // refused: @typescript-eslint/no-floating-promises
  [1].forEach(async () => { await Promise.resolve(); }); // refused: @typescript-eslint/no-misused-promises
  await 1; // refused: @typescript-eslint/await-thenable
  throw 'a text'; // refused: @typescript-eslint/only-throw-error
}

export function same(left: unknown, right: unknown): boolean {
  return left == right; // refused: eqeqeq
}

/* eslint-disable no-console -- refused: no inline configuration */
