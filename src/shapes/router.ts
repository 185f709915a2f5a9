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

export type RoutedBlock = ReadonlyMap<Handle, RoutedChanges>;

/** A block, and what one shape must look at in it; undefined when the block does not touch the shape. */
export interface Delivery {
  readonly block: LogBlock;
  readonly changes: RoutedChanges | undefined;
}

export interface BlockRouter {
  route(block: LogBlock): RoutedBlock;
}
