/** A definition finds the handle that serves it, whatever others have the same hash. */
import { expect, test } from 'vitest';
import { ServingHandles } from '../../../src/actors/directory/serving-handles.ts';
import { definitionKey, type Handle, type ShapeDefinition } from '../../../src/model/shape.ts';
import { withHashOf } from '../../explore/handles/equal-hash.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';

const SALT = 'salt';
const [first, second, third] = [handleOf(1), handleOf(2), handleOf(3)];

function titled(title: string): ShapeDefinition {
  return shapeOf({ where: { column: 'title', equals: title } });
}

/** Another definition whose key has the hash of the first one's. */
function twinOf(definition: ShapeDefinition): ShapeDefinition {
  const [before = '', behind = ''] = definitionKey(titled(SALT)).split(SALT);
  return titled(withHashOf(definitionKey(definition), before, behind));
}

function served(...entered: readonly (readonly [Handle, ShapeDefinition])[]) {
  const definitions = new Map<Handle, ShapeDefinition>();
  const handles = new ServingHandles((handle) => definitions.get(handle));
  for (const [handle, definition] of entered) {
    definitions.set(handle, definition);
    handles.set(handle, definition);
  }
  return { handles, definitions };
}

test('two definitions of one hash have each its own handle, and the last one that was given to it', () => {
  const one = titled('one');
  const twin = twinOf(one);
  const { handles, definitions } = served([first, one], [second, twin]);
  definitions.set(third, one);
  const before = handles.set(third, one);
  handles.delete(first, one);

  expect({ before, found: [handles.find(one), handles.find(twin), handles.find(titled('none'))], size: handles.size }).toEqual({
    before: first, found: [third, second, undefined], size: 2,
  });
});

test('a copy goes its own way', () => {
  const one = titled('one');
  const { handles, definitions } = served([first, one]);
  const copy = handles.clone((handle) => definitions.get(handle));
  handles.delete(first, one);

  expect([handles.find(one), handles.size, copy.find(one), copy.size]).toEqual([undefined, 0, first, 1]);
});
