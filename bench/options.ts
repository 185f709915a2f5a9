/** What a run measures: the sizes that are reported, unless a flag says less. */
import { parseArgs } from 'node:util';
import { invariant } from '../src/base/invariant.ts';

export interface BenchOptions {
  /** Rows of the table that is read as a snapshot. */
  readonly rows: number;
  /** Rows written behind a shape, for each of `transactionRows`. */
  readonly changes: number;
  readonly transactionRows: readonly number[];
}

export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '1000000' },
      changes: { type: 'string', default: '200000' },
      transactions: { type: 'string', default: '1,100,10000' },
    },
  });
  return {
    rows: positive(values.rows, 'rows'),
    changes: positive(values.changes, 'changes'),
    transactionRows: values.transactions.split(',').map((size) => positive(size, 'transactions')),
  };
}

export function positive(text: string, flag: string): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value) && value > 0, `--${flag} takes positive whole numbers, not ${text}`);
  return value;
}
