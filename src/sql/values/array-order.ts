/** How arrays order: item by item, NULL behind every value and equal to itself; then by their size and their subscripts. */
import type { ArrayValue } from './array-value.ts';

export function compareArrays<Item>(
  left: ArrayValue<Item>,
  right: ArrayValue<Item>,
  compare: (left: Item, right: Item) => number,
): number {
  const common = Math.min(left.items.length, right.items.length);
  for (let at = 0; at < common; at += 1) {
    const order = compareItems(left.items[at] ?? null, right.items[at] ?? null, compare);
    if (order !== 0) return order;
  }
  return (
    left.items.length - right.items.length ||
    left.dimensions.length - right.dimensions.length ||
    firstDifference(left, right, 'length') ||
    firstDifference(left, right, 'from')
  );
}

function compareItems<Item>(left: Item | null, right: Item | null, compare: (left: Item, right: Item) => number): number {
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  return compare(left, right);
}

function firstDifference<Item>(left: ArrayValue<Item>, right: ArrayValue<Item>, field: 'length' | 'from'): number {
  const differences = left.dimensions.map((dimension, at) => dimension[field] - (right.dimensions[at]?.[field] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}
