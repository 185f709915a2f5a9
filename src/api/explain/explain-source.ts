/** What it takes to say why a row is in a shape, or is not, and where a transaction stands. */
import type { Handle } from '../../model/shape.ts';
import type { ToldShape } from './told-shape.ts';
import type { TransactionSource } from './transaction-source.ts';

export interface ExplainSource {
  readonly transactions: TransactionSource;
  /** Undefined for a handle that no shape has. */
  shape(handle: Handle): ToldShape | undefined;
}
