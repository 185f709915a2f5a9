/** Flags that are numbers. */
import { invariant } from '../src/base/invariant.ts';

export function positive(text: string, flag: string): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value) && value > 0, `--${flag} takes positive whole numbers, not ${text}`);
  return value;
}
