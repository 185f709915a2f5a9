/**
 * Random transactions over the tables of the oracle: parents that are toggled, renamed, made and unmade, alone or several at
 * once; children that move between them; tags; values that come and go within one transaction; and a TRUNCATE.
 */
import fc from 'fast-check';
import { CHILD_IDS, KINDS, literal, PARENT_IDS, RANK_MAX, TABLES, TAGS, VALUES, type TableName } from './schema.ts';

export interface OracleTransaction {
  /** A mutation may have several. */
  readonly statements: readonly string[];
  readonly end: 'COMMIT' | 'ROLLBACK';
  /** Shapes of this table, and those that depend on it, may start over. */
  readonly truncated?: TableName;
}

const MUTATIONS_MAX = 20;
const parentId = fc.constantFrom(...PARENT_IDS).map(literal);
const childId = fc.constantFrom(...CHILD_IDS).map(literal);
const parentOrNone = fc.oneof({ weight: 6, arbitrary: parentId }, { weight: 1, arbitrary: fc.constant('NULL') });
const heir = fc.oneof({ weight: 2, arbitrary: parentId }, { weight: 1, arbitrary: fc.constant('NULL') });
const kind = fc.constantFrom(...KINDS);
const flag = fc.boolean();
const value = fc.oneof({ weight: 7, arbitrary: fc.constantFrom(...VALUES).map(literal) }, { weight: 1, arbitrary: fc.constant('NULL') });
const rank = fc.integer({ min: 0, max: RANK_MAX });
const tag = fc.constantFrom(...TAGS);

const toggle = (id: string) => `UPDATE parents SET active = NOT active WHERE id = ${id}`;
const insertParent = (id: string, active: boolean, ofKind: number, ref: string) =>
  `INSERT INTO parents VALUES (${id}, ${active}, ${ofKind}, ${ref}, 'inserted', ${ref}) ON CONFLICT DO NOTHING`;
const insertChild = (id: string, parent: string, other: string, text: string, at: number) =>
  `INSERT INTO children VALUES (${id}, ${parent}, ${other}, ${text}, ${at}) ON CONFLICT DO NOTHING`;
const insertTag = (id: string, name: string) => `INSERT INTO tags VALUES (${id}, '${name}') ON CONFLICT DO NOTHING`;
const deleteTag = (id: string, name: string) => `DELETE FROM tags WHERE parent_id = ${id} AND tag = '${name}'`;
const reparentAll = (from: string, to: string) => `UPDATE children SET parent_id = ${to} WHERE parent_id = ${from}`;
/** Only to a key that is free. */
const rename = (table: TableName, from: string, to: string) =>
  `UPDATE ${table} SET id = ${to} WHERE id = ${from} AND NOT EXISTS (SELECT FROM ${table} WHERE id = ${to})`;

const ofParents: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 4, arbitrary: parentId.map((id) => [toggle(id)]) },
  { weight: 1, arbitrary: fc.tuple(flag, kind).map(([active, of]) => [`UPDATE parents SET active = ${active} WHERE kind = ${of}`]) },
  { weight: 1, arbitrary: fc.constant(['UPDATE parents SET active = NOT active']) },
  { weight: 2, arbitrary: fc.tuple(kind, parentId).map(([of, id]) => [`UPDATE parents SET kind = ${of} WHERE id = ${id}`]) },
  { weight: 2, arbitrary: fc.tuple(parentId, parentId).map(([ref, id]) => [`UPDATE parents SET ref = ${ref} WHERE id = ${id}`]) },
  { weight: 3, arbitrary: fc.tuple(heir, parentId).map(([to, id]) => [`UPDATE parents SET heir = ${to} WHERE id = ${id}`]) },
  { weight: 1, arbitrary: parentId.map((id) => [`UPDATE parents SET note = coalesce(note, '') || '.' WHERE id = ${id}`]) },
  { weight: 3, arbitrary: fc.tuple(parentId, flag, kind, parentId).map((row) => [insertParent(...row)]) },
  { weight: 2, arbitrary: parentId.map((id) => [`DELETE FROM parents WHERE id = ${id}`]) },
  { weight: 2, arbitrary: fc.tuple(parentId, parentId).map(([from, to]) => [rename('parents', from, to)]) },
);

const ofChildren: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(childId, parentOrNone, parentOrNone, value, rank).map((row) => [insertChild(...row)]) },
  { weight: 2, arbitrary: childId.map((id) => [`DELETE FROM children WHERE id = ${id}`]) },
  { weight: 2, arbitrary: fc.tuple(childId, childId).map(([from, to]) => [rename('children', from, to)]) },
  { weight: 3, arbitrary: fc.tuple(parentOrNone, childId).map(([to, id]) => [`UPDATE children SET parent_id = ${to} WHERE id = ${id}`]) },
  { weight: 2, arbitrary: fc.tuple(parentOrNone, childId).map(([to, id]) => [`UPDATE children SET other_id = ${to} WHERE id = ${id}`]) },
  { weight: 2, arbitrary: fc.tuple(value, childId).map(([to, id]) => [`UPDATE children SET value = ${to} WHERE id = ${id}`]) },
  { weight: 2, arbitrary: fc.tuple(rank, childId).map(([to, id]) => [`UPDATE children SET rank = ${to} WHERE id = ${id}`]) },
  { weight: 1, arbitrary: parentId.map((id) => [`UPDATE children SET rank = (rank + 1) % ${RANK_MAX + 1} WHERE parent_id = ${id}`]) },
  { weight: 1, arbitrary: fc.tuple(parentId, parentId).map((ends) => [reparentAll(...ends)]) },
);

const ofTags: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(parentId, tag).map((row) => [insertTag(...row)]) },
  { weight: 3, arbitrary: fc.tuple(parentId, tag).map((row) => [deleteTag(...row)]) },
  { weight: 1, arbitrary: tag.map((name) => [`INSERT INTO tags SELECT id, '${name}' FROM parents ON CONFLICT DO NOTHING`]) },
  { weight: 1, arbitrary: tag.map((name) => [`DELETE FROM tags WHERE tag = '${name}'`]) },
);

/** Parent and child at once, in either order; and values that are back where they were before the transaction ends. */
const together: fc.Arbitrary<readonly string[]> = fc.oneof(
  fc.tuple(parentId, childId, kind, value, rank, flag).map(([parent, child, of, text, at, isParentFirst]) => {
    const family = [insertParent(parent, true, of, parent), insertChild(child, parent, parent, text, at)];
    return isParentFirst ? family : family.reverse();
  }),
  parentId.map((id) => [toggle(id), toggle(id)]),
  fc.tuple(parentId, childId).map(([id, child]) => [toggle(id), `UPDATE children SET parent_id = ${id} WHERE id = ${child}`, toggle(id)]),
  fc.tuple(parentId, tag).map((row) => [deleteTag(...row), insertTag(...row)]),
);

/** A subtransaction that is taken back. */
const undone = fc.oneof(ofParents, ofChildren).map((statements) => ['SAVEPOINT undone', ...statements, 'ROLLBACK TO SAVEPOINT undone']);

const mutation: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 8, arbitrary: ofParents },
  { weight: 8, arbitrary: ofChildren },
  { weight: 4, arbitrary: ofTags },
  { weight: 4, arbitrary: together },
  { weight: 1, arbitrary: undone },
);

const mutations = fc.oneof(
  { weight: 3, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: MUTATIONS_MAX }) },
);

export const anyTransaction: fc.Arbitrary<OracleTransaction> = fc.record({
  statements: mutations.map((several) => several.flat()),
  end: fc.oneof({ weight: 9, arbitrary: fc.constant('COMMIT' as const) }, { weight: 1, arbitrary: fc.constant('ROLLBACK' as const) }),
});

/** Its transaction writes to the emptied table too, behind the TRUNCATE. */
export const anyTruncation: fc.Arbitrary<OracleTransaction> = fc
  .tuple(fc.constantFrom(...TABLES), mutations)
  .map(([truncated, several]) => ({ statements: [`TRUNCATE ${truncated}`, ...several.flat()], end: 'COMMIT', truncated }));
