/** What is doubted when the stream describes a table: itself and what is above it each time, partitions where their links differ. */
import { expect, test } from 'vitest';
import { ToldTables } from '../../../src/service/wiring/told-tables.ts';

test('tables above are doubted with each description, and their partitions when links come, change or go', () => {
  const doubted: unknown[] = [];
  const told = new ToldTables({
    table: ({ name }) => doubted.push(name),
    tablesAbove: (oids) => doubted.push(['above', ...oids]),
    partitionsOf: (oids) => doubted.push(['partitions', ...oids]),
  });
  const describe = (...links: readonly (readonly [child: number, parent: number, since: number])[]): unknown[] => {
    doubted.length = 0;
    const list = links.map(([child, parent, since]) => ({ child, parent, since }));
    told.tell({ oid: 1, schema: 'public', name: 'leaf', columns: [], ...(list.length === 0 ? {} : { links: list }) });
    return [...doubted];
  };

  const links = [[1, 2, 9], [2, 3, 9]] as const;
  expect([
    describe(), describe(...links), describe(...links), describe([1, 2, 10], [2, 3, 9]), describe([1, 4, 11]), describe(),
  ]).toEqual([
    ['leaf'],
    ['leaf', ['above', 2, 3], ['partitions', 2, 3]],
    ['leaf', ['above', 2, 3]],
    ['leaf', ['above', 2, 3], ['partitions', 2, 3]],
    ['leaf', ['above', 4], ['partitions', 2, 3, 4]],
    ['leaf', ['partitions', 4]],
  ]);
});
