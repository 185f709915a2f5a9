/** The text inside a JSON string is Postgres's text, however it was escaped. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Change, CHANGE_KINDS, jsonText } from '../../src/model/change.ts';
import { definitionKey, newHandle, type ShapeDefinition } from '../../src/model/shape.ts';

test('jsonText gives back what JSON.stringify wrote, wherever it lies in the bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.nat(20), (text, before) => {
      const json = new TextEncoder().encode(JSON.stringify(text));
      const bytes = new Uint8Array(before + json.length + 3);
      bytes.set(json, before);
      expect(jsonText(bytes, before, before + json.length)).toBe(text);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['kind', 0, 'the log holds a change of an unknown kind: 0'],
  ['kind', 6, 'the log holds a change of an unknown kind: 6'],
  ['cause', 3, 'the log holds a change of an unknown cause: 3'],
] as const)('a change of a %s that this version does not know (%d) is refused by name', (what, number, claim) => {
  const bytes = new Uint8Array(15);
  bytes[4] = what === 'kind' ? number : CHANGE_KINDS.gap;
  bytes[14] = number;
  expect(() => new Change(bytes, 0)[what]).toThrow(claim);
});

const DEFINITION: ShapeDefinition = {
  relation: { oid: 1, schema: 'public', name: 'items' },
  columns: ['id', 'title'],
  selectsAll: false,
  primaryKey: ['id'],
  reads: [],
  where: { text: 'id = $1', params: ['7'], canonical: '(id = 7)' },
  replica: 'default',
  log: 'full',
};

test('a definition is known by what it means, not by how it was written', () => {
  const same = { ...DEFINITION, columns: ['title', 'id'], where: { text: 'ID  =  7', params: [], canonical: '(id = 7)' } };
  const others: ShapeDefinition[] = [
    { ...DEFINITION, selectsAll: true },
    { ...DEFINITION, replica: 'full' },
    { ...DEFINITION, log: 'changes_only' },
    { ...DEFINITION, relation: { ...DEFINITION.relation, oid: 2 } },
    { ...DEFINITION, relation: { ...DEFINITION.relation, schema: 'other' } },
    { ...DEFINITION, relation: { ...DEFINITION.relation, name: 'other' } },
    { ...DEFINITION, columns: ['id'] },
    { ...DEFINITION, primaryKey: [] },
    { ...DEFINITION, reads: [{ name: 'id', typeOid: 23, typeMod: -1 }] },
    { ...DEFINITION, where: { text: 'id = 8', params: [], canonical: '(id = 8)' } },
    { ...DEFINITION, moveOuts: 'deletes' },
    { ...DEFINITION, dependencies: [{ shape: DEFINITION, column: 'id' }] },
    { ...DEFINITION, dependencies: [{ shape: DEFINITION, column: 'title' }] },
    { ...DEFINITION, dependencies: [{ shape: { ...DEFINITION, columns: ['id'] }, column: 'id' }] },
  ];
  expect({ same: definitionKey(same), different: new Set([DEFINITION, ...others].map(definitionKey)).size }).toEqual({
    same: definitionKey(DEFINITION),
    different: others.length + 1,
  });
});

test('a handle names one log: another moment, another handle', () => {
  expect(newHandle(DEFINITION, 1)).not.toBe(newHandle(DEFINITION, 2));
});
