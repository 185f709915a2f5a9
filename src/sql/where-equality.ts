/**
 * The equality by which changes are looked up: a column and constants, one of which every row that the filter takes
 * has in that column. A row that lacks them all must be certain to fail; so anything doubtful gives no equality.
 */
import { conversionOf } from './comparison-types.ts';
import { columnsIn, type Condition, type Constant, type Operand } from './expression.ts';
import type { TypeName } from './values/type-names.ts';
import { VALUE_TYPES } from './values/value-types.ts';
import type { Value } from './values/values.ts';
import type { Where } from './where.ts';

type Equality = NonNullable<Where['equality']>;

/** Beyond this a look-up entry for each constant costs more than asking the filter. */
export const VALUES_MAX = 1000;

const TRUE: Constant = { kind: 'constant', type: 'bool', value: true, text: 't' };

/** A subquery gives none: what it selects changes. */
export function equalityOf(condition: Condition): Equality | undefined {
  switch (condition.kind) {
    case 'compare':
      if (condition.operator !== '=') return undefined;
      return equalTo(condition.left, [condition.right], condition.type) ?? equalTo(condition.right, [condition.left], condition.type);
    case 'in':
      return equalTo(condition.left, condition.items, condition.type);
    case 'and':
      return fewest(condition.parts.flatMap((part) => equalityOf(part) ?? []));
    case 'or':
      return union(condition.parts.map(equalityOf));
    case 'operand':
      return equalTo(condition.operand, [TRUE], 'bool') ?? neverTrue(condition.operand);
    default:
      return undefined;
  }
}

/** No value of a column makes it true. */
function neverTrue(operand: Operand): Equality | undefined {
  if (operand.kind !== 'call' || operand.operation.isNeverTrue !== true) return undefined;
  const column = columnsIn(operand).find((each) => 'type' in each);
  return column !== undefined && 'type' in column ? { column: column.name, typeName: column.type, values: [] } : undefined;
}

function equalTo(column: Operand, others: readonly Operand[], type: TypeName): Equality | undefined {
  // Compared as another family's value, two texts of the column could equal one constant.
  if (column.kind !== 'column' || VALUE_TYPES[column.type].family !== VALUE_TYPES[type].family) return undefined;
  const constants = others.filter((other): other is Constant => other.kind === 'constant');
  if (constants.length !== others.length || constants.length > VALUES_MAX) return undefined;
  const values = constants.flatMap((constant) => {
    return constant.value === null ? [] : canonicalOf(constant.value, constant.type, type);
  });
  return { column: column.name, typeName: column.type, values: [...new Set(values)] };
}

function canonicalOf(value: Value, from: TypeName, to: TypeName): readonly string[] {
  const converted = conversionOf(from, to)(value);
  return converted === null ? [] : [VALUE_TYPES[to].canonical(converted)];
}

function fewest(found: readonly Equality[]): Equality | undefined {
  return [...found].sort((left, right) => left.values.length - right.values.length)[0];
}

/** Every part must name the same column. */
function union(parts: readonly (Equality | undefined)[]): Equality | undefined {
  const [first] = parts;
  const alike = parts.flatMap((part) => (part !== undefined && part.column === first?.column ? [part] : []));
  if (first === undefined || alike.length !== parts.length) return undefined;
  const values = [...new Set(alike.flatMap((part) => part.values))];
  return values.length > VALUES_MAX ? undefined : { ...first, values };
}
