import { expect, test } from 'vitest';
import { followedColumns, followedWord, type FollowedColumn } from '../../src/model/followed-columns.ts';

const plain = (name: string): FollowedColumn => ({ name, casts: [] });

test.each<[string, readonly FollowedColumn[]]>([
  ['id', [plain('id')]],
  ['a, b', [plain('a, b')]],
  ['[["id"],["ref"]]', [plain('id'), plain('ref')]],
  ['[["ref","text","int4"]]', [{ name: 'ref', casts: ['text', 'int4'] }]],
  ['[["[x"]]', [plain('[x')]], // Else it would be taken for a list.
])('%s names what is followed, and nothing else has that name', (word, columns) => {
  expect([followedWord(columns), followedColumns(word)]).toEqual([word, columns]);
});
