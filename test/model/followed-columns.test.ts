import { expect, test } from 'vitest';
import { followedColumns, followedWord, isByParts, type FollowedColumn } from '../../src/model/followed-columns.ts';

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

test('row values that are looked up by some of their parts, too, have a name of their own, and the same columns', () => {
  const columns = [plain('parts'), plain('ref')];
  const words = [followedWord(columns), followedWord(columns, true), followedWord([plain('parts')]), followedWord([plain('[parts')])];

  expect(words.map((word) => ({ word, columns: followedColumns(word).map(({ name }) => name), isByParts: isByParts(word) }))).toEqual([
    { word: '[["parts"],["ref"]]', columns: ['parts', 'ref'], isByParts: false },
    { word: '[["parts"],["ref"],"parts"]', columns: ['parts', 'ref'], isByParts: true },
    { word: 'parts', columns: ['parts'], isByParts: false },
    { word: '[["[parts"]]', columns: ['[parts'], isByParts: false },
  ]);
});
