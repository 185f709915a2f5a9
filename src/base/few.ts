/**
 * Few: nothing, one item, or a list of several, as one value. For one no list is made, and a list is no longer than it is: an array that
 * has been pushed to keeps room for sixteen more, and a set takes many times what it holds. There may be tens of thousands of them.
 *
 * A value is never written to: what is read from it holds whatever becomes of it meanwhile.
 */

/** An item is no array, by which several are told from one, and not undefined. */
export type Few<Item extends string | object> = Item | readonly Item[] | undefined;

export function countOf<Item extends string | object>(few: Few<Item>): number {
  return isList(few) ? few.length : few === undefined ? 0 : 1;
}

/** In the order in which they were added. */
export function listOf<Item extends string | object>(few: Few<Item>): readonly Item[] {
  return isList(few) ? few : few === undefined ? [] : [few];
}

export function hasItem<Item extends string | object>(few: Few<Item>, item: Item): boolean {
  return isList(few) ? few.includes(item) : few === item;
}

/** The item comes last; one that is there already stays where it is. */
export function withItem<Item extends string | object>(few: Few<Item>, item: Item): Few<Item> {
  if (few === undefined || few === item) return item;
  if (!isList(few)) return [few, item];
  return few.includes(item) ? few : few.concat(item);
}

/** The same where the item is not there. */
export function withoutItem<Item extends string | object>(few: Few<Item>, item: Item): Few<Item> {
  if (!isList(few)) return few === item ? undefined : few;
  const index = few.indexOf(item);
  if (index < 0) return few;
  return few.length === 2 ? few[1 - index] : few.toSpliced(index, 1);
}

function isList<Item extends string | object>(few: Few<Item>): few is readonly Item[] {
  return Array.isArray(few);
}
