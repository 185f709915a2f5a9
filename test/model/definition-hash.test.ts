/** The hash of a definition is that of its key, whichever were asked for before it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fnvHash } from '../../src/base/fnv-hash.ts';
import { definitionHash, definitionKey, type ShapeDefinition } from '../../src/model/shape.ts';

const id = { name: 'id', typeOid: 23, typeMod: -1 };
const where = { text: 'id = 1', params: [], canonical: '("id" = int4 "1")' };
/** Each part is one object for all that have it, as stored shapes have them. */
const parts = fc.record({
  relation: fc.constantFrom({ oid: 1, schema: 'public', name: 'a' }, { oid: 2, schema: 'public', name: 'b' }),
  columns: fc.constantFrom(['id'], ['title', 'id'], []),
  selectsAll: fc.boolean(),
  primaryKey: fc.constantFrom(['id'], []),
  reads: fc.constantFrom([id], [id, { name: 'ü\u{1f600}', typeOid: 25, typeMod: -1 }]),
  where: fc.constantFrom(where, { ...where, canonical: '("id" = int4 "ü2")' }),
  replica: fc.constantFrom('default' as const, 'full' as const),
  log: fc.constantFrom('full' as const, 'changes_only' as const),
  moveOuts: fc.constant('deletes' as const),
}, { requiredKeys: ['relation', 'columns', 'selectsAll', 'primaryKey', 'reads', 'replica', 'log'] });
const outer = fc.record({ own: parts, inner: fc.array(parts, { maxLength: 2 }) }).map(({ own, inner }): ShapeDefinition => {
  return inner.length === 0 ? own : { ...own, dependencies: inner.map((shape) => ({ shape, column: 'id' })) };
});

test('it is the hash of the key', () => {
  fc.assert(fc.property(fc.array(outer, { maxLength: 10 }), (definitions) => {
    expect(definitions.map(definitionHash)).toEqual(definitions.map((definition) => fnvHash(definitionKey(definition))));
  }));
});

test('a text is hashed from where another one ended as if both were one', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, behind) => {
    expect(fnvHash(behind, fnvHash(before))).toBe(fnvHash(before + behind));
  }));
});
