/** Comparisons: which type both sides are compared as, and what is made of lists, bounds and arrays of other sides. */
import {
  asCondition, callOf, coerced, constantFrom, enumText, evaluated, NO_OVERLOAD, operandOf, settledFrom, type Checked, type Location,
  type OpaqueColumn,
} from './checked.ts';
import { comparedAs, conversionOf, keepsType, resolveComparison } from '../operations/comparison-types.ts';
import { columnsIn, isOrder, type Comparison, type Condition, type Constant, type Operand } from '../expression.ts';
import type { Parameters } from './literals.ts';
import { quantified } from '../operations/arrays.ts';
import { collated, comparisonOperation, extreme, nullIf } from '../operations/comparisons.ts';
import { commonType, isText } from '../operations/implicit-casts.ts';
import type { Operation } from '../operations/operation.ts';
import { listOf } from '../values/array-value.ts';
import { arrayOf, isScalar, itemOf, type ScalarName, type TypeName } from '../values/type-names.ts';
import { asArray, type Scalar } from '../values/values.ts';
import { refusalAt } from '../where-refusal.ts';

const NO_ARRAY = 'must be an array';
const labelOperation = (sign: Comparison): Operation => comparisonOperation(sign, 'text', ['text', 'text']);

export class ComparisonChecker {
  private readonly parameters: Parameters;

  constructor(parameters: Parameters) {
    this.parameters = parameters;
  }

  compare(operator: Comparison, left: Checked, right: Checked, location: Location): Condition {
    const labelled = isOrder(operator) ? undefined : this.labelled(operator, left, right, location);
    if (labelled !== undefined) return labelled;
    const [first, second] = isOrder(operator) ? [left, right] : asLabels(left, right);
    const [a, b, type] = this.alike(first, second, location);
    if (isOrder(operator)) refuseUnordered(type, [a, b], location);
    return { kind: 'compare', operator, left: a, right: b, type };
  }

  distinct(left: Checked, right: Checked, location: Location): Condition {
    const labelled = this.besideLabel(left, right);
    if (labelled !== undefined) return { kind: 'distinct', left: labelled[0], right: labelled[1], type: 'text' };
    const [a, b, type] = this.alike(...asLabels(left, right), location);
    return { kind: 'distinct', left: a, right: b, type };
  }

  between(value: Checked, low: Checked, high: Checked, isSymmetric: boolean, location: Location): Condition {
    const within = (from: Checked, to: Checked): Condition => ({
      kind: 'and',
      parts: [this.compare('>=', value, from, location), this.compare('<=', value, to, location)],
    });
    return isSymmetric ? { kind: 'or', parts: [within(low, high), within(high, low)] } : within(low, high);
  }

  inList(left: Checked, items: readonly Checked[], location: Location): Condition {
    const labelled = this.labelledIn(left, items, location);
    if (labelled !== undefined) return labelled;
    const typed = this.listed(left, items, location);
    const comparisons = typed.map((item) => this.alike(left, item, location));
    const hasList = comparisons.filter(([, right, type]) => isListed(right) && itemOf(type) === undefined).length > 1;
    const parts = hasList ? groupItems(comparisons) : comparisons.map(equalTo);
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'or', parts };
  }

  /** `left operator ANY (array)`, or ALL. */
  quantified(operator: Comparison, all: boolean, left: Checked, array: Checked, location: Location): Condition {
    const labelled = this.labelledAny(operator, all, left, array, location);
    if (labelled !== undefined) return labelled;
    const sides = this.quantifiedSides(left, array, location, all);
    const { item } = sides;
    const first = this.parameterless(left, item);
    const type = this.comparedType(first, item, location);
    const isMember = operator === (all ? '<>' : '=');
    const known = sides.array.kind === 'constant' ? sides.array : undefined;
    const items = known === undefined || known.value === null ? [] : asArray(known.value).items;
    if (isMember && known !== undefined && items.some((each) => each !== null)) return membership(first, known, item, type, all);
    if (isOrder(operator)) refuseUnordered(type, [first, sides.array], location);
    const test = comparisonOperation(operator, type, [first.type, item]);
    const operation = quantified(operator, all, test, isOrder(operator) ? (sql) => collated(sql, type) : undefined);
    const holdsNothing = known !== undefined && items.every((each) => each === null);
    const isNeverTrue = holdsNothing && (!all || known.value === null || items.length > 0);
    return conditionOf(callOf(isNeverTrue ? { ...operation, isNeverTrue } : operation, 'bool', [first, sides.array], location));
  }

  /** The array beside ANY or ALL, and the type of its items. */
  quantifiedSides(left: Checked, array: Checked, location: Location, all: boolean): { readonly array: Operand; readonly item: ScalarName } {
    const operand = operandOf(array, location);
    if (operand.kind !== 'untyped') {
      const item = itemOf(operand.type);
      if (item === undefined) throw refusalAt(location, `argument of ${all ? 'ALL' : 'ANY'} ${NO_ARRAY}`);
      return { array: operand, item };
    }
    const side = operandOf(left, location);
    const known = side.kind === 'untyped' ? 'text' : comparedAs(side.type);
    if (!isScalar(known)) throw refusalAt(location, NO_OVERLOAD);
    return { array: this.parameters.typed(operand, arrayOf(known)), item: known };
  }

  /** GREATEST or LEAST. */
  extreme(name: 'greatest' | 'least', items: readonly Checked[], location: Location): Operand {
    const type = this.common(items, location, name.toUpperCase());
    const operands = items.map((item) => coerced(this.parameters, item, type, location));
    refuseUnordered(type, operands, location);
    return callOf(extreme(name, type), type, operands, location);
  }

  /** NULLIF. Its type is that of the left side of the `=` that is meant; beside a NULL that stands in the filter nothing is asked. */
  nullIf(left: Checked, right: Checked, location: Location): Operand {
    const [a, b, type] = this.alike(left, right, location);
    const gives = keepsType(a.type, b.type) ? a.type : type;
    const kept = coerced(this.parameters, a, gives, location);
    if (isNull(kept)) return settledFrom([kept, b], gives, null);
    return isNull(b) ? kept : callOf(nullIf(type, [gives, b.type]), gives, [kept, b], location);
  }

  /** The type of alternatives. */
  common(items: readonly Checked[], location: Location, name: string): TypeName {
    const types = items.map((item) => operandOf(item, location)).map((item) => (item.kind === 'untyped' ? undefined : item.type));
    const type = commonType(types);
    if (type === undefined) throw refusalAt(location, `${name} types ${unlike(types)} cannot be matched`);
    return type;
  }

  /** An enum beside a label. @returns undefined for other sides. */
  private labelled(operator: Comparison, left: Checked, right: Checked, location: Location): Condition | undefined {
    const sides = this.besideLabel(left, right);
    return sides && conditionOf(callOf(labelOperation(operator), 'bool', sides, location));
  }

  private besideLabel(left: Checked, right: Checked): readonly [Operand, Constant] | undefined {
    const [column, label] = isEnum(left) ? [left, right] : [right, left];
    if (!isEnum(column) || label.kind !== 'untyped') return undefined;
    return [labelsOf(column), labelled(this.parameters.typed(label, 'text'))];
  }

  private labelledIn(column: Checked, labels: readonly Checked[], location: Location): Condition | undefined {
    const untyped = labels.filter((label) => label.kind === 'untyped');
    if (!isEnum(column) || untyped.length < labels.length) return undefined;
    const texts = untyped.map((label) => this.parameters.typed(label, 'text').text);
    const array = labelled(constantFrom('text[]', listOf<Scalar>(texts)));
    return conditionOf(callOf(quantified('=', false, labelOperation('=')), 'bool', [labelsOf(column), array], location));
  }

  private labelledAny(operator: Comparison, all: boolean, column: Checked, labels: Checked, location: Location): Condition | undefined {
    if (!isEnum(column) || labels.kind !== 'untyped' || isOrder(operator)) return undefined;
    const array = labelled(this.parameters.typed(labels, 'text[]'));
    return conditionOf(callOf(quantified(operator, all, labelOperation(operator)), 'bool', [labelsOf(column), array], location));
  }

  /** Both sides as operands, and the type under which Postgres compares them. */
  private alike(left: Checked, right: Checked, location: Location): readonly [Operand, Operand, TypeName] {
    const [a, b] = [operandOf(left, location), operandOf(right, location)];
    const known = a.kind !== 'untyped' ? a.type : b.kind !== 'untyped' ? b.type : 'text';
    const [first, second] = [this.parameterless(a, known), this.parameterless(b, known)];
    return [first, second, this.comparedType(first, second.type, location, second)];
  }

  private parameterless(side: Checked, known: TypeName): Operand {
    const operand = operandOf(side, undefined);
    return operand.kind === 'untyped' ? this.parameters.typed(operand, comparedAs(known)) : operand;
  }

  private comparedType(left: Operand, right: TypeName, location: Location, ...others: readonly Operand[]): TypeName {
    const type = resolveComparison(left.type, right);
    if (type === undefined) throw refusalAt(location, NO_OVERLOAD);
    for (const side of [left, ...others]) {
      if (side.kind === 'constant' && side.value !== null) evaluated(() => conversionOf(side.type, type)(side.value ?? ''), location);
    }
    return type;
  }

  /** Constants of a list take one type together, that of the left side among them; where that is a float4, they are rounded to it. */
  private listed(left: Checked, items: readonly Checked[], location: Location): readonly Checked[] {
    const constants = items.filter((item) => item.kind === 'untyped' || (item.kind !== 'opaque' && isListed(item)));
    if (constants.length < 2) return items;
    const sides = [left, ...constants].map((side) => operandOf(side, location));
    const common = commonType(sides.map((side) => (side.kind === 'untyped' ? undefined : side.type)));
    if (common === undefined) return items;
    return items.map((item) => {
      if (item.kind === 'untyped') return this.parameters.typed(item, comparedAs(common));
      return item.kind !== 'opaque' && isListed(item) && common === 'float4' ? coerced(this.parameters, item, common, location) : item;
    });
  }
}

/** Two enums of one type are equal where their labels are; their order is another. */
function asLabels(left: Checked, right: Checked): readonly [Checked, Checked] {
  const areLabels = left.kind === 'opaque' && right.kind === 'opaque' && left.isEnum && right.isEnum && left.type === right.type;
  return areLabels ? [enumText(left.name), enumText(right.name)] : [left, right];
}

function isEnum(checked: Checked): checked is OpaqueColumn {
  return checked.kind === 'opaque' && checked.isEnum;
}

/** Its text is the label. */
function labelsOf({ name }: OpaqueColumn): Operand {
  return { kind: 'column', name, type: 'text' };
}

function labelled(constant: Constant): Constant {
  return { ...constant, isLabel: true };
}

function conditionOf(operand: Operand): Condition {
  return asCondition(operand) ?? { kind: 'operand', operand };
}

/** `= ANY` of known items is a list to look in, and `<> ALL` its opposite: where it holds a value; a list of NULL asks for nothing. */
function membership(left: Operand, { value }: Constant, item: ScalarName, type: TypeName, all: boolean): Condition {
  const items = value === null ? [] : asArray(value).items.map((each) => constantFrom(item, each));
  const list: Condition = { kind: 'in', left, items, type };
  return all ? { kind: 'not', part: list } : list;
}

/** Postgres looks in a list of all items in which no column stands, where there are arrays of their type: so not of arrays. */
function isListed(item: Operand): boolean {
  return item.kind === 'constant' ? item.namesColumns !== true : columnsIn(item).length === 0;
}

function isNull(item: Operand): boolean {
  return item.kind === 'constant' && item.value === null;
}

function isKnown(item: Operand): item is Constant {
  return item.kind === 'constant' && isListed(item);
}

function equalTo([left, right, type]: readonly [Operand, Operand, TypeName]): Condition {
  return isKnown(right) ? { kind: 'in', left, items: [right], type } : { kind: 'compare', operator: '=', left, right, type };
}

/**
 * Items of one type make one list; what is worked out for each row is compared by itself, behind the lists, and a column among that at
 * last, as Postgres does.
 */
function groupItems(comparisons: readonly (readonly [Operand, Operand, TypeName])[]): readonly Condition[] {
  const lists = new Map<TypeName, { left: Operand; items: Constant[] }>();
  const [withoutColumns, withColumns]: [Condition[], Condition[]] = [[], []];
  for (const [left, right, type] of comparisons) {
    if (!isKnown(right)) {
      (isListed(right) ? withoutColumns : withColumns).push(equalTo([left, right, type]));
      continue;
    }
    const list = lists.get(type) ?? { left, items: [] };
    list.items.push(right);
    lists.set(type, list);
  }
  const looked = [...lists].map(([type, { left, items }]): Condition => ({ kind: 'in', left, items, type }));
  return [...looked, ...withoutColumns, ...withColumns];
}

/** Text is ordered by its bytes: where the collation of a column orders it otherwise, it is not ordered here. */
function refuseUnordered(type: TypeName, sides: readonly Operand[], location: Location): void {
  if ((itemOf(type) ?? type) === 'jsonb') throw refusalAt(location, 'the order of jsonb is not supported');
  if (!isText(itemOf(type) ?? type)) return;
  for (const column of columnsIn(...sides)) {
    const collation = 'collation' in column ? column.collation : undefined;
    if (collation?.order === 'language') {
      throw refusalAt(location, `the order of text under the collation ${collation.name} is not supported`);
    }
  }
}

function unlike(types: readonly (TypeName | undefined)[]): string {
  const known = types.filter((type) => type !== undefined);
  const other = known.find((type) => commonType([known[0], type]) === undefined);
  return `${known[0]} and ${other ?? known.at(-1)}`;
}
