/**
 * What changes are looked up by: keys of a row and constants, or what subqueries select, one of which every row satisfies that the
 * filter takes.
 *
 * Of a row that satisfies none nobody asks the filter. So it must be certain that the filter would not take it, and also that it has
 * no error in that row, for an error ends its shape: routed or not, a shape has one fate. Parts are evaluated from left to right, and
 * AND stops at false but not at NULL. So a part of AND is a look-up only where none before it can have an error; and where one behind
 * it can, rows in which that part is NULL are looked up as well. An error in a key itself is found when the row is looked up.
 */
import { conversionOf } from '../operations/comparison-types.ts';
import { hasErrorFreeValue, isErrorFree } from './error-free.ts';
import { columnsIn, type Call, type Condition, type Constant, type Operand, type Subquery } from '../expression.ts';
import { itemsKey, leftKey, valueKey, type KeyOperand } from './lookup-keys.ts';
import { itemOf, type ScalarName, type TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { asArray, type Value } from '../values/values.ts';
import { compileOperand } from '../where-compiler.ts';
import type { Lookup, LookupKey } from '../where.ts';

type Lookups = readonly Lookup[];

/** What a row is that satisfies no look-up: false, or also NULL. Never an error. */
type Missed = 'false' | 'notTrue';

/** Beyond this a look-up entry for each constant costs more than asking the filter. */
const VALUES_MAX = 1000;
/** In entries: what a key that is calculated costs each change, and a boolean one, which half of the rows have. */
const CALCULATED_COST = 4;
const BOOLEAN_COST = 100;
/** What a subquery selects may be many values, and changes: constants before it. */
const SUBQUERY_COST = 10 * VALUES_MAX;

export interface Found {
  readonly lookups: Lookups;
  readonly cost: number;
  /** Whether a row that satisfies one of them is taken. */
  readonly isExact?: boolean;
}

/** Undefined when some row may be taken, or have an error, that satisfies none that we know of. */
export function lookupsOf(condition: Condition): Found | undefined {
  return search(condition, 'notTrue');
}

const NO_ROW: Found = { lookups: [], cost: 0 };

function search(condition: Condition, missed: Missed): Found | undefined {
  switch (condition.kind) {
    case 'operand':
      return ofBoolean(condition.operand, missed);
    case 'compare':
      if (condition.operator !== '=') return undefined;
      return equalTo(condition.left, [condition.right], condition.type, missed)
        ?? equalTo(condition.right, [condition.left], condition.type, missed);
    case 'in':
      return equalTo(condition.left, condition.items, condition.type, missed);
    case 'subquery':
      return ofSubquery(condition, missed);
    case 'and':
      return cheapest(condition.parts, missed);
    case 'or':
      return union(condition.parts.map((part) => search(part, missed)));
    case 'isTruth':
      return condition.truth === true ? search(condition.part, 'notTrue') : undefined;
    default:
      return undefined;
  }
}

/** Where it selects NULL it is unknown, and never false, in all rows that it does not select. */
function ofSubquery({ left, number }: Subquery, missed: Missed): Found | undefined {
  if (missed === 'false') return undefined;
  return { lookups: [{ kind: 'subquery', key: leftKey(left), subquery: number }], cost: SUBQUERY_COST, isExact: true };
}

function ofBoolean(operand: Operand, missed: Missed): Found | undefined {
  switch (operand.kind) {
    case 'truth':
      return search(operand.condition, missed);
    case 'column':
      return { lookups: [some(valueKey(operand), ['t'], missed)], cost: BOOLEAN_COST, isExact: missed === 'notTrue' };
    case 'constant':
      return operand.value === false || (operand.value === null && missed === 'notTrue') ? NO_ROW : undefined;
    case 'call':
      if (operand.operation.isNeverTrue !== true) return ofItems(operand, missed);
      return missed === 'notTrue' && operand.args.every((arg) => hasErrorFreeValue(arg)) ? NO_ROW : undefined;
  }
}

/** Compared as another family's value, two values of the key could equal one constant. */
function equalTo(operand: Operand, others: readonly Operand[], type: TypeName, missed: Missed): Found | undefined {
  if (!isKey(operand) || !isOfFamily(operand.type, type)) return undefined;
  const constants = others.flatMap(knownValue);
  if (constants.length !== others.length) return undefined;
  const values = constants.flatMap(({ value, type: from }) => (value === null ? [] : canonicalOf(value, from, type)));
  if (missed === 'false' && constants.some(({ value }) => value === null)) return undefined;
  if (values.length === 0) return hasErrorFreeValue(operand) ? NO_ROW : undefined;
  return ofValues(valueKey(operand), values, operand.kind, missed);
}

/** Also of what Postgres works out for each row though it is the same in all: it was worked out when the filter was checked. */
function knownValue(operand: Operand): readonly { readonly type: TypeName; readonly value: Value | null }[] {
  if (operand.kind === 'constant') return [operand];
  const isKnown = operand.kind === 'call' && columnsIn(operand).length === 0;
  return isKnown ? [{ type: operand.type, value: compileOperand(operand)(() => null) }] : [];
}

function canonicalOf(value: Value, from: TypeName, to: TypeName): readonly string[] {
  const converted = conversionOf(from, to)(value);
  return converted === null ? [] : [VALUE_TYPES[to].canonical(converted)];
}

/** Operations that look into an array of the row, as they are printed of `a` and `b`: for all the items of the other side, or for some. */
const LOOKED_FOR: Readonly<Record<string, { readonly array: 0 | 1; readonly items: 'every' | 'some' }>> = {
  '(a @> b)': { array: 0, items: 'every' },
  '(a <@ b)': { array: 1, items: 'every' },
  '(a && b)': { array: 0, items: 'some' },
  '(a = ANY (b))': { array: 1, items: 'some' },
};

function ofItems({ operation, args }: Call, missed: Missed): Found | undefined {
  const sought = LOOKED_FOR[operation.sql(['a', 'b'])];
  if (sought === undefined) return undefined;
  const [array, other] = [args[sought.array], args[1 - sought.array]];
  if (array !== undefined && isKey(array) && other?.kind === 'constant') return ofArray(array, other, sought.items, missed);
  return array?.kind === 'constant' && other !== undefined && isKey(other) && sought.items === 'some'
    ? ofArray(other, array, 'some', missed)
    : undefined;
}

function ofArray(array: KeyOperand, sought: Constant, items: 'every' | 'some', missed: Missed): Found | undefined {
  const [key, item] = [itemsKey(array), itemOf(array.type)];
  if (key === undefined || item === undefined || sought.value === null) return undefined;
  const values = soughtItems(sought.value, sought.type, item);
  if (values === undefined) return undefined;
  const known = [...new Set(values.filter((value) => value !== null))];
  if (items === 'some') return known.length === 0 ? undefined : ofValues(key, known, 'call', missed);
  const [one] = known;
  if (one === undefined) return undefined;
  const lookup: Lookup = missed === 'false' ? some(key, [one], missed) : { kind: 'every', key, values: known };
  return { lookups: [lookup], cost: 1 + CALCULATED_COST };
}

/** In canonical text; NULL among them. Undefined where they are of another family than the array's. */
function soughtItems(value: Value, type: TypeName, item: ScalarName): readonly (string | null)[] | undefined {
  if (!isOfFamily(itemOf(type) ?? type, item)) return undefined;
  const items = itemOf(type) === undefined ? [value] : asArray(value).items;
  return items.map((each) => (each === null ? null : VALUE_TYPES[item].canonical(each)));
}

function ofValues(key: LookupKey, values: readonly string[], kind: KeyOperand['kind'], missed: Missed): Found | undefined {
  const distinct = [...new Set(values)];
  if (distinct.length > VALUES_MAX) return undefined;
  const cost = distinct.length + (kind === 'call' ? CALCULATED_COST : 0);
  return { lookups: [some(key, distinct, missed)], cost, isExact: missed === 'notTrue' };
}

function some(key: LookupKey, values: readonly string[], missed: Missed): Lookup {
  return { kind: 'some', key, values: missed === 'false' ? [...values, null] : values };
}

function cheapest(parts: readonly Condition[], missed: Missed): Found | undefined {
  const lastWithErrors = parts.findLastIndex((part) => !isErrorFree(part));
  let best: Found | undefined;
  for (const [index, part] of parts.entries()) {
    const found = search(part, index < lastWithErrors ? 'false' : missed);
    if (found !== undefined && (best === undefined || found.cost < best.cost)) best = { ...found, isExact: false };
    if (!isErrorFree(part)) break;
  }
  return best;
}

/** Every part must have some. Constants for one key are one look-up, and so is a subquery for one column. */
function union(parts: readonly (Found | undefined)[]): Found | undefined {
  const merged = new Map<string, Lookup>();
  let [cost, isExact] = [0, true];
  for (const found of parts) {
    if (found === undefined) return undefined;
    cost += found.cost;
    isExact &&= found.isExact === true;
    for (const lookup of found.lookups) {
      const place = lookup.kind === 'subquery' ? [lookup.subquery] : lookup.kind === 'every' ? lookup.values : [];
      const name = JSON.stringify([lookup.kind, lookup.key.name, ...place]);
      merged.set(name, together(merged.get(name), lookup));
    }
  }
  const lookups = [...merged.values()];
  return valuesIn(lookups) > VALUES_MAX ? undefined : { lookups, cost, isExact };
}

/** @param known of the same key and kind. */
function together(known: Lookup | undefined, lookup: Lookup): Lookup {
  if (known?.kind !== 'some' || lookup.kind !== 'some') return lookup;
  return { ...known, values: [...new Set([...known.values, ...lookup.values])] };
}

function valuesIn(lookups: Lookups): number {
  return lookups.reduce((count, lookup) => count + (lookup.kind === 'some' ? lookup.values.length : 1), 0);
}

function isKey(operand: Operand): operand is KeyOperand {
  return operand.kind === 'column' || operand.kind === 'call';
}

function isOfFamily(left: TypeName, right: TypeName): boolean {
  return VALUE_TYPES[left].family === VALUE_TYPES[right].family;
}
