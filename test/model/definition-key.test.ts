import { expect, test } from 'vitest';
import { definitionKey, type ShapeDefinition } from '../../src/model/shape.ts';

const definition = (canonical: string): ShapeDefinition => ({
  relation: { oid: 1, schema: 'public', name: 'items' }, columns: ['id'], selectsAll: true, primaryKey: ['id'],
  reads: [{ name: 'id', typeOid: 23, typeMod: -1 }], where: { text: canonical, params: [], canonical }, replica: 'default', log: 'full',
});

test('the key of a definition is the same however often it is asked for, whatever is asked in between, and however long it is', () => {
  const definitions = Array.from({ length: 40 }, (_, number) => definition(`id = ${number}`.padEnd(number % 2 === 0 ? 10 : 5_000)));
  const order = [...definitions, ...definitions, ...definitions.toReversed(), ...definitions.flatMap((each) => [each, each])];

  const keys = order.map(definitionKey);

  const ofCopies = order.map((each) => definitionKey({ ...each }));
  expect({ keys, count: new Set(keys).size }).toEqual({ keys: ofCopies, count: 40 });
});
