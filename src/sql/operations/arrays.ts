/** Operations on arrays, made for the type of their items. */
import { EvaluationError } from '../evaluation-error.ts';
import { DIMENSIONS_MAX, listOf, type ArrayValue, type Dimension } from '../values/array-value.ts';
import { arrayOf, type ScalarName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { asArray, asScalar, type Scalar, type Value } from '../values/values.ts';
import { call, infix, type Operation, type Overload, type Overloads } from './operation.ts';
import { spend, spendOn } from '../work.ts';

type Items = ArrayValue<Scalar>;
/** Of a dimension, counted from 0; the end is behind it. */
type Cut = { readonly start: number; readonly end: number };

/** Those for which both sides are arrays of one type. */
export function arrayOperators(item: ScalarName): Overloads {
  const array = arrayOf(item);
  const { canonical } = VALUE_TYPES[item];
  const overload = (sign: string, run: (left: Items, right: Items) => boolean): readonly Overload[] => [
    { takes: [array, array], gives: 'bool', operation: infix(sign, (left, right) => run(asArray(left), asArray(right))) },
  ];
  return {
    '@>': overload('@>', (left, right) => holdsAll(left, right, canonical)),
    '<@': overload('<@', (left, right) => holdsAll(right, left, canonical)),
    '&&': overload('&&', (left, right) => overlaps(left, right, canonical)),
  };
}

/** `||`: arrays one behind the other, or an item at an end. NULL beside an array is nothing. */
export const ARRAY_CONCATENATION = {
  both: joining('array_cat', (left, right) => {
    return left === null || right === null ? (left ?? right) : catenated(asArray(left), asArray(right));
  }),
  append: joining('array_append', (array, item) => withItem(array, item, 'end')),
  prepend: joining('array_prepend', (item, array) => withItem(array, item, 'start')),
} as const;

export const ARRAY_NDIMS = call('array_ndims', (array) => asArray(array).dimensions.length || null);
export const CARDINALITY = call('cardinality', (array) => asArray(array).items.length);
export const ARRAY_LENGTH = call('array_length', (array, dimension) => asArray(array).dimensions[Number(dimension) - 1]?.length ?? null);

/** `ARRAY[…]` of items. */
export function arrayOfItems(item: ScalarName): Operation {
  return {
    sql: (args) => `ARRAY[${args.join(', ')}]::${item}[]`,
    compile: (readers) => (text) => listOf(readers.map((read) => scalarOf(read(text)))),
  };
}

/** `ARRAY[ARRAY[…], …]`: all of one shape. A NULL, or an empty one, among others that hold something has no place. */
export function arrayOfArrays(item: ScalarName): Operation {
  return {
    sql: (args) => `ARRAY[${args.join(', ')}]::${item}[]`,
    compile: (readers) => (text) => stacked(readers.map((read) => itemsOf(read(text)))),
  };
}

/** `array[1][2]`: NULL where there is no such item. */
export function subscript(count: number): Operation {
  return {
    sql: ([array = '', ...indexes]) => `(${array})${indexes.map((index) => `[${index}]`).join('')}`,
    compile: within((array, indexes) => {
      const { dimensions, items } = asArray(array);
      const at = dimensions.length === count ? placeOf(dimensions, indexes) : undefined;
      return at === undefined ? null : (items[at] ?? null);
    }),
  };
}

/** Which bounds of a dimension are given. */
export interface GivenBounds {
  readonly lower: boolean;
  readonly upper: boolean;
}

/**
 * `array[from:to][from:to]`, counted from 1 again. A bound that is left out is that of the array, and so are those of further
 * dimensions; of more dimensions than it has, an array has nothing.
 *
 * @param given its arguments are the array, and of each dimension the bounds that are given.
 */
export function slice(given: readonly GivenBounds[]): Operation {
  return {
    sql: ([array = '', ...bounds]) => `(${array})${inPlaces(given, bounds, '').map(([from, to]) => `[${from}:${to}]`).join('')}`,
    compile: within((array, bounds) => sliced(asArray(array), inPlaces(given, bounds, undefined))),
  };
}

function inPlaces<Bound>(given: readonly GivenBounds[], bounds: readonly Bound[], none: Bound): readonly (readonly [Bound, Bound])[] {
  let at = 0;
  const next = (isGiven: boolean): Bound => (isGiven ? (bounds[at++] ?? none) : none);
  return given.map(({ lower, upper }) => [next(lower), next(upper)]);
}

/**
 * `left operator ANY (array)`, or ALL.
 *
 * @param operation of the left side and an item.
 * @param side what is written of the left side.
 */
export function quantified(sign: string, all: boolean, operation: Operation, side = (sql: string) => sql): Operation {
  return {
    sql: ([left = '', array = '']) => `(${side(left)} ${sign} ${all ? 'ALL' : 'ANY'} (${array}))`,
    compile: ([readLeft, readArray]) => {
      let left: Value | null = null;
      let item: Value | null = null;
      const test = operation.compile([() => left, () => item]);
      return (text) => {
        left = readLeft?.(text) ?? null;
        const array = readArray?.(text) ?? null;
        if (array === null) return null;
        let truth: Value | null = all;
        for (item of asArray(array).items) {
          spend(1);
          const holds = test(text);
          if (holds === !all) return holds;
          if (holds === null) truth = null;
        }
        return truth;
      };
    },
  };
}

/** NULL for a NULL; the subscripts of a NULL are not worked out. */
function within(run: (array: Value, indexes: readonly number[]) => Value | null): Operation['compile'] {
  return ([readArray, ...readers]) => (text) => {
    const array = readArray?.(text) ?? null;
    if (array === null) return null;
    const indexes = readers.map((read) => read(text)).filter((index) => index !== null);
    return indexes.length < readers.length ? null : run(array, indexes.map(Number));
  };
}

function holdsAll(whole: Items, part: Items, canonical: (value: Value) => string): boolean {
  const held = new Set(whole.items.flatMap((item) => (item === null ? [] : [canonical(item)])));
  return part.items.every((item) => item !== null && held.has(canonical(item)));
}

function overlaps(left: Items, right: Items, canonical: (value: Value) => string): boolean {
  const held = new Set(left.items.flatMap((item) => (item === null ? [] : [canonical(item)])));
  return right.items.some((item) => item !== null && held.has(canonical(item)));
}

function joining(name: string, run: (left: Value | null, right: Value | null) => Value | null): Operation {
  return {
    sql: (args) => `${name}(${args.join(', ')})`,
    compile: ([readLeft, readRight]) => (text) => {
      const sides = [readLeft?.(text) ?? null, readRight?.(text) ?? null] as const;
      for (const side of sides) if (side !== null) spendOn(side);
      return run(...sides);
    },
  };
}

/** Of equal dimensions, or one of them an item of the other. */
function catenated(left: Items, right: Items): Items {
  if (left.dimensions.length === 0) return right;
  if (right.dimensions.length === 0) return left;
  const difference = left.dimensions.length - right.dimensions.length;
  const larger = difference >= 0 ? left : right;
  const [outer, ...inner] = larger.dimensions;
  const sides = [left, right].map(({ dimensions }) => {
    const [own, ...rest] = dimensions;
    return dimensions.length === larger.dimensions.length ? { length: own?.length ?? 0, inner: rest } : { length: 1, inner: dimensions };
  });
  const fits = Math.abs(difference) <= 1 && sides.every((side) => isAlike(side.inner, inner));
  if (!fits) throw new EvaluationError('2202E', 'cannot concatenate incompatible arrays');
  const length = sides.reduce((sum, side) => sum + side.length, 0);
  return { dimensions: [{ length, from: outer?.from ?? 1 }, ...inner], items: [...left.items, ...right.items] };
}

function isAlike(left: readonly Dimension[], right: readonly Dimension[]): boolean {
  return left.length === right.length && left.every(({ length, from }, at) => length === right[at]?.length && from === right[at].from);
}

function withItem(array: Value | null, item: Value | null, end: 'start' | 'end'): Value {
  const { dimensions, items } = itemsOf(array);
  if (dimensions.length > 1) throw new EvaluationError('22000', 'argument must be empty or one-dimensional array');
  const added = scalarOf(item);
  const from = dimensions[0]?.from ?? 1;
  const joined = end === 'end' ? [...items, added] : [added, ...items];
  return { dimensions: [{ length: joined.length, from }], items: joined };
}

function stacked(arrays: readonly Items[]): Items {
  const [first] = arrays;
  if (first === undefined || arrays.every(({ items }) => items.length === 0)) return listOf<Scalar>([]);
  if (!arrays.every(({ dimensions }) => isAlike(dimensions, first.dimensions))) {
    throw new EvaluationError('2202E', 'multidimensional arrays must have array expressions with matching dimensions');
  }
  if (first.dimensions.length >= DIMENSIONS_MAX) {
    throw new EvaluationError('54000', `number of array dimensions exceeds the maximum allowed (${DIMENSIONS_MAX})`);
  }
  return { dimensions: [{ length: arrays.length, from: 1 }, ...first.dimensions], items: arrays.flatMap(({ items }) => items) };
}

/** Undefined outside of the array. */
function placeOf(dimensions: readonly Dimension[], indexes: readonly number[]): number | undefined {
  let place = 0;
  for (const [at, { length, from }] of dimensions.entries()) {
    const index = (indexes[at] ?? 0) - from;
    if (index < 0 || index >= length) return undefined;
    place = place * length + index;
  }
  return place;
}

function sliced({ dimensions, items }: Items, bounds: readonly (readonly [number | undefined, number | undefined])[]): Items {
  if (bounds.length > dimensions.length) return listOf<Scalar>([]);
  const cuts = dimensions.map(({ length, from }, at) => {
    const [lower = from, upper = from + length - 1] = bounds[at] ?? [];
    return { start: Math.max(lower, from) - from, end: Math.min(upper, from + length - 1) - from + 1 };
  });
  if (cuts.some(({ start, end }) => start >= end)) return listOf<Scalar>([]);
  return { dimensions: cuts.map(({ start, end }) => ({ length: end - start, from: 1 })), items: cut(items, dimensions, cuts) };
}

function cut<Item>(items: readonly Item[], [outer, ...inner]: readonly Dimension[], cuts: readonly Cut[]): readonly Item[] {
  const [own, ...rest] = cuts;
  if (outer === undefined || own === undefined) return items;
  const size = items.length / outer.length;
  const places = Array.from({ length: own.end - own.start }, (_, at) => own.start + at);
  return places.flatMap((place) => cut(items.slice(place * size, (place + 1) * size), inner, rest));
}

/** None, for NULL. */
function itemsOf(array: Value | null): Items {
  return array === null ? listOf<Scalar>([]) : asArray(array);
}

function scalarOf(value: Value | null): Scalar | null {
  return value === null ? null : asScalar(value);
}

