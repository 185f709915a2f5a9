/**
 * Router: which shapes can a change touch? A superset always; shapes whose filters hold a column equal to other values
 * cost nothing.
 */
import type { Handle } from '../model/shape.ts';
import type { LogBlock } from '../model/transaction.ts';

/** The changes of one block that one shape must look at. */
export interface RoutedChanges {
  /** Triples: index of the transaction in the block, index of its fragment, byte where the change begins. In log order. */
  readonly changes: Uint32Array;
}

/** Shapes that take a block at the same time, each with what it must look at. */
export type Layer = ReadonlyMap<Handle, RoutedChanges>;

/**
 * Routes one block at a time, in steps: a block of many changes against many filters must not hold up everybody else.
 * Between two steps shapes may come and go. One that comes may be named, though it has what this block brings from elsewhere.
 */
export interface BlockRouter {
  begin(block: LogBlock): void;
  /**
   * @returns undefined while there is more to do; then layers in the order in which they take the block, none empty: the
   *   next begins when all of one have answered.
   */
  step(): readonly Layer[] | undefined;
}
