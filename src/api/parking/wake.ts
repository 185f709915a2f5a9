/** Wake: why a wait for a shape is over. */
import type { Handle } from '../../model/shape.ts';
import type { Refusal } from '../refusal.ts';

/** One value, made at the first use and common to all who were woken together. */
export class Shared<T> {
  private made: { readonly value: T } | undefined;

  get(make: () => T): T {
    this.made ??= { value: make() };
    return this.made.value;
  }
}

export type Wake<T> =
  | { readonly cause: 'appended'; readonly shared: Shared<T> }
  /** The answer of the first who has to look for a replacement is that of all. */
  | { readonly cause: 'rotated'; readonly replacement: Handle | undefined; readonly answer: Shared<Promise<Refusal>> }
  | { readonly cause: 'timeout' }
  /** The request's signal: its reason says whether the client went or we close. */
  | { readonly cause: 'aborted' };
