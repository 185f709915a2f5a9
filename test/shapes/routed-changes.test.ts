import { expect, test } from 'vitest';
import type { LoggedTransaction } from '../../src/model/transaction.ts';
import { changesByTransaction } from '../../src/shapes/routed-changes.ts';
import { blockOf, transactionOf, type RowChange } from '../support/actors/changes.ts';

/** Each fragment has as many changes as there are names, and all changes are of the same size. */
function inFragments(lsn: string, fragments: readonly (readonly string[])[]): LoggedTransaction {
  const parts = fragments.map((names) => transactionOf({ xid: 7, lsn }, names.map((name): RowChange => ({ kind: 'insert', new: [name] }))));
  return { ...transactionOf({ xid: 7, lsn }, []), fragments: parts.flatMap((part) => part.fragments) };
}

test('the changes of a shape are read where they lie, in whichever fragments of whichever transactions', () => {
  const block = blockOf([inFragments('10', [['a', 'b'], ['c', 'd']]), inFragments('20', [['e']]), inFragments('30', [['f'], ['g', 'h']])]);
  const size = block.transactions[1]?.fragments[0]?.length ?? 0;
  const routed = [[0, 0, size], [0, 1, 0], [0, 1, size], [2, 0, 0], [2, 1, size]];

  const found = [...changesByTransaction(block, { changes: Uint32Array.from(routed.flat()) })];

  expect(found.map(({ transaction, changes }) => [transaction.lsn, changes.map((change) => change.new?.text(0))])).toEqual([
    ['10', ['b', 'c', 'd']],
    ['30', ['f', 'h']],
  ]);
});
