import { expect, test } from 'vitest';
import { SchemaTexts } from '../../src/api/schema-texts.ts';
import type { Relation } from '../../src/model/relation.ts';
import { schemaHeader } from '../../src/shapes/schema-header.ts';
import { column, key } from '../support/http/api-world.ts';

const items: Relation = { oid: 1, schema: 'public', name: 'items', columns: [key('id', 'int8'), column('value', 'text')] };
const altered: Relation = { ...items, columns: [key('id', 'int4'), column('value', 'text')] };

test('a text is that of the columns, whatever was asked for before, and of the table as it is', () => {
  const texts = new SchemaTexts();
  const choices = [['id'], ['id', 'value'], ...Array.from({ length: 200 }, (_, index) => ['id', `c${index}`]), ['id']];

  const given = choices.map((columns) => [items, altered].map((relation) => texts.of({ relation, definition: { columns } })));

  expect(given).toEqual(choices.map((columns) => [schemaHeader(items, columns), schemaHeader(altered, columns)]));
});
