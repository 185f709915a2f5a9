/** What definitions on one table have in common is held once, and an equal definition is what comes of it. */
import { expect, test } from 'vitest';
import { DefinitionParts } from '../../src/model/definition-parts.ts';
import { shapeOf } from '../support/shapes.ts';

const copied = (number: number) => structuredClone(shapeOf({ where: { column: 'title', equals: String(number) } }));

test('definitions stay what they are, and those on one table share its parts', () => {
  const parts = new DefinitionParts();
  const [one, two] = [parts.shared(copied(1)), parts.shared(copied(2))];

  expect(parts.shared(two)).toBe(two);
  expect([one, two]).toEqual([copied(1), copied(2)]);
  expect([one.relation === two.relation, one.columns === two.columns, one.reads === two.reads, one.primaryKey === two.primaryKey]).toEqual([
    true, true, true, true,
  ]);
});

test('a definition within another shares the parts of its own table, however deep it lies', () => {
  const parts = new DefinitionParts();
  const around = (number: number, shape = copied(number)) => {
    return { ...structuredClone(shapeOf({ columns: ['owner'] })), dependencies: [{ shape, column: 'owner' }] };
  };
  const alone = parts.shared(copied(1));
  const deep = parts.shared(around(2, around(3)));
  const inner = deep.dependencies?.[0]?.shape;
  const innermost = inner?.dependencies?.[0]?.shape;

  expect(parts.shared(deep)).toBe(deep);
  expect(deep).toEqual(around(2, around(3)));
  const isShared = [innermost?.reads === alone.reads, innermost?.columns === alone.columns, inner?.columns === deep.columns];
  expect(isShared).toEqual([true, true, true]);
});

test('of another selection nothing is shared, and no more are remembered than a bound says', () => {
  const parts = new DefinitionParts();
  const first = parts.shared(copied(1));
  const others = Array.from({ length: 1_000 }, (_, number) => parts.shared({ ...copied(number), columns: ['id', `column ${number}`] }));
  const again = parts.shared(copied(1));

  expect(others.some(({ columns }) => columns === first.columns)).toBe(false);
  expect({ again, isShared: again.columns === first.columns }).toEqual({ again: first, isShared: false });
});
