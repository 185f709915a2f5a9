import { expect, test } from 'vitest';
import { PublishedTables, type PublishedTablesChange } from '../../src/actors/published-tables.ts';
import { handleOf } from '../support/shapes.ts';

const relation = { oid: 4711, schema: 'public', name: 'items' };
const need = (index: number): PublishedTablesChange => ({ type: 'need', handle: handleOf(index), relation, asked: [] });
const release = (index: number, why = 'asked'): PublishedTablesChange => ({ type: 'release', handle: handleOf(index), why });
const published: PublishedTablesChange = { type: 'published', oid: relation.oid };

test.each<[string, readonly PublishedTablesChange[], string | undefined]>([
  ['is missing for the first shape on it', [need(1)], 'relation.isMissing'],
  ['is still missing for the second, while Postgres has not said so', [need(1), need(2)], 'relation.isMissing'],
  ['is there for the second once Postgres has said so', [need(1), published, need(2)], 'relation.isPublished'],
  ['stays for the shape that is left', [need(1), published, need(2), release(1)], undefined],
  ['is unused when the last shape is gone', [need(1), published, need(2), release(1), release(2)], 'relation.isUnused'],
  ['is unused once', [need(1), published, release(1), release(1)], undefined],
  ['that was never published need not be taken out', [need(1), release(1)], undefined],
  ['is missing again for a shape that comes when it was unused', [need(1), published, release(1), need(2)], 'relation.isMissing'],
  ['is missing again when a shape ended for want of its old rows', [need(1), published, need(2), release(1, 'replicaIdentity'), need(3)], 'relation.isMissing'],
  ['is there again once Postgres has said so again', [need(1), published, need(2), release(1, 'replicaIdentity'), published, need(3)], 'relation.isPublished'],
  ['is unused when the last shape ended for want of its old rows', [need(1), published, release(1, 'replicaIdentity')], 'relation.isUnused'],
])('a table %s', (_, changes, told) => {
  const tables = new PublishedTables({ lost: () => {} });

  const answers = changes.map((change) => tables.apply(change));

  expect(answers.at(-1)?.type).toBe(told);
});

test('of shapes that are gone nothing is kept', () => {
  const [tables, empty] = [new PublishedTables({ lost: () => {} }), new PublishedTables({ lost: () => {} })];

  for (const change of [need(1), published, need(2), release(1, 'replicaIdentity'), release(2)]) tables.apply(change);

  expect(tables.key()).toBe(empty.key());
});
