/**
 * From an expression back to SQL. What is printed is our own checked tree, never the client's text: columns quoted,
 * every constant a parameter with its type. Where a comparison needs a conversion or a collation, it is written out,
 * so that Postgres has nothing to decide which the evaluator decided differently.
 */
import type { ColumnReference, Condition, Constant, Operand } from './expression.ts';
import { quoteIdentifier } from './identifiers.ts';
import { printLikePattern } from './like-pattern.ts';
import { VALUE_TYPES, type TypeName } from './value-types.ts';
import { WhereRefusal } from './where-refusal.ts';

/** Of all constants together: a short text names a long parameter thousands of times, and a shape's definition holds each of them. */
const CONSTANT_CHARACTERS_MAX = 1_048_576;

export interface PrintedCondition {
  readonly sql: string;
  /** Texts of the constants, in the order in which they stand. */
  readonly params: readonly (string | null)[];
}

type ConstantPrinter = (type: TypeName, text: string | null) => string;

/** For Postgres. */
export function printQuery(condition: Condition): PrintedCondition {
  const params: (string | null)[] = [];
  const sql = printCondition(condition, (type, text) => {
    params.push(text);
    return `$${params.length}::${type}`;
  });
  return { sql, params };
}

/**
 * For comparing: equal for filters whose trees are, whatever their constants were written like.
 *
 * @throws {WhereRefusal} when the constants are larger than a definition may be.
 */
export function printCanonical(condition: Condition): string {
  let size = 0;
  return printCondition(condition, (type, text) => {
    const value = text === null ? undefined : VALUE_TYPES[type].parse(text);
    const printed = value === undefined ? 'NULL' : JSON.stringify(VALUE_TYPES[type].canonical(value));
    size += printed.length;
    if (size > CONSTANT_CHARACTERS_MAX)
      throw new WhereRefusal(`WHERE clause with its values is bigger than maximum size of ${CONSTANT_CHARACTERS_MAX} characters`);
    return `${type} ${printed}`;
  });
}

function printCondition(condition: Condition, constant: ConstantPrinter): string {
  const print = (part: Condition): string => printCondition(part, constant);
  switch (condition.kind) {
    case 'operand':
      return printOperand(condition.operand, 'bool', constant);
    case 'compare': {
      const { operator, left, right, type } = condition;
      const isOrder = operator !== '=' && operator !== '<>';
      const first = isOrder ? collated(printOperand(left, type, constant), type) : printOperand(left, type, constant);
      return `(${first} ${operator} ${printOperand(right, type, constant)})`;
    }
    case 'distinct': {
      const { left, right, type } = condition;
      return `(${printOperand(left, type, constant)} IS DISTINCT FROM ${printOperand(right, type, constant)})`;
    }
    case 'in': {
      const { left, items, type } = condition;
      const first = printOperand(left, type, constant);
      return `(${first} IN (${items.map((item) => printOperand(item, type, constant)).join(', ')}))`;
    }
    case 'like':
      return printLike(condition, constant);
    case 'and':
    case 'or':
      return `(${condition.parts.map(print).join(condition.kind === 'and' ? ' AND ' : ' OR ')})`;
    case 'not':
      return `(NOT ${print(condition.part)})`;
    case 'isNull':
      return `(${printNullable(condition.part, constant)} IS NULL)`;
    case 'isTruth':
      return `(${print(condition.part)} IS ${condition.truth === null ? 'UNKNOWN' : String(condition.truth).toUpperCase()})`;
  }
}

function printLike({ left, pattern, ignoreCase }: Extract<Condition, { kind: 'like' }>, constant: ConstantPrinter): string {
  const operand = printOperand(left, left.type, constant);
  const text = constant('text', pattern === null ? null : printLikePattern(pattern));
  return ignoreCase ? `(${operand} COLLATE "C" ILIKE ${text})` : `(${operand} LIKE ${text})`;
}

function printNullable(part: ColumnReference | Constant | Condition, constant: ConstantPrinter): string {
  if (part.kind === 'column') return quoteIdentifier(part.name);
  return part.kind === 'constant' ? constant(part.type, part.text) : printCondition(part, constant);
}

/** A conversion inside a family needs no word: Postgres compares the types across. */
function printOperand(operand: Operand, type: TypeName, constant: ConstantPrinter): string {
  const plain = operand.kind === 'column' ? quoteIdentifier(operand.name) : constant(operand.type, operand.text);
  return VALUE_TYPES[operand.type].family === VALUE_TYPES[type].family ? plain : `${plain}::${type}`;
}

function collated(sql: string, type: TypeName): string {
  const { family } = VALUE_TYPES[type];
  return family === 'text' || family === 'padded' ? `${sql} COLLATE "C"` : sql;
}
