/**
 * From an expression back to SQL. What is printed is our own checked tree, never the client's text: columns quoted,
 * every constant a parameter with its type. Where a comparison needs a conversion or a collation, it is written out,
 * so that Postgres has nothing to decide which the evaluator decided differently.
 */
import { invariant, InvariantError } from '../base/invariant.ts';
import {
  CONSTANT_CHARACTERS_MAX, isOperand, isOrder, type ColumnReference, type Condition, type Operand, type Selection, type Subquery,
} from './expression.ts';
import { quoteIdentifier, quoteRelation } from './identifiers.ts';
import { printLikePattern } from './patterns/like-pattern.ts';
import { collated } from './operations/comparisons.ts';
import { memberArrays, printMembership } from './subqueries/member-arrays.ts';
import type { TypeName } from './values/type-names.ts';
import { VALUE_TYPES } from './values/value-types.ts';
import { WhereRefusal } from './where-refusal.ts';
import type { Key, QueryParam, QueryWithMembers, WhereQuery } from './where.ts';

/** What is written as a parameter for Postgres, and in full for comparing. */
interface Printer {
  constant(type: TypeName, text: string | null): string;
  /** One of whose text more can be seen than which value it equals: numeric `1.0` and `1.00` are two of these. */
  exactly(type: TypeName, text: string | null): string;
  /** One whose type its place gives. */
  label(type: TypeName, text: string | null): string;
  /** @param left its parts, printed. */
  subquery(subquery: Subquery, left: readonly string[]): string;
}

/**
 * For Postgres: a condition that has no subqueries.
 *
 * @param before how many parameters the query has in front of these.
 */
export function printQuery(condition: Condition, before = 0): WhereQuery {
  const params: (string | null)[] = [];
  const subquery = (): never => {
    throw new InvariantError('what a subquery selects is given with the query');
  };
  return { sql: printCondition(condition, { ...parameterPrinter((text) => before + params.push(text)), subquery }), params };
}

/**
 * For Postgres, which is not asked what the subqueries select.
 *
 * @param members what they do, by their numbers, NULL among it.
 */
export function printQueryWith(condition: Condition, members: readonly Iterable<Key>[]): QueryWithMembers {
  const params: QueryParam[] = [];
  const arrays = new Map<number, readonly string[]>(); // Each is sent once, however often its subquery stands in the filter.
  const sql = printCondition(condition, {
    ...parameterPrinter((text) => params.push(text)),
    subquery: ({ number, selection }, left) => {
      const values = members[number];
      invariant(values !== undefined, 'what a subquery selects is given with the query');
      const known = arrays.get(number) ?? memberArrays(values, selection.columns, (type, array) => `$${params.push(array)}::${type}`);
      arrays.set(number, known);
      return printMembership(left, known);
    },
  });
  return { sql, params };
}

/** @param place takes a parameter, and gives its number. */
function parameterPrinter(place: (text: Key) => number): Omit<Printer, 'subquery'> {
  const parameter = (type: TypeName, text: Key): string => `$${place(text)}::${type}`;
  return { constant: parameter, exactly: parameter, label: (_, text) => `$${place(text)}` };
}

/**
 * For comparing: equal for filters whose trees are, whatever their constants were written like.
 *
 * @throws {WhereRefusal} when the constants are larger than a definition may be.
 */
export function printCanonical(condition: Condition): string {
  return printCondition(condition, canonicalPrinter());
}

/** For comparing, likewise. */
export function printSelection(selection: Selection): string {
  return printSelected(selection, canonicalPrinter());
}

/** For people. @param literal how a constant is written. */
export function printReadable(condition: Condition, literal: Literal): string {
  return printCondition(condition, readablePrinter(literal));
}

export function printReadableOperand(operand: Operand | ColumnReference, literal: Literal): string {
  return 'type' in operand ? printPlain(operand, readablePrinter(literal)) : quoteIdentifier(operand.name);
}

export type Literal = (type: TypeName, text: string | null) => string;

function readablePrinter(literal: Literal): Printer {
  const label = (_: TypeName, text: string | null): string => literal('text', text);
  const printer: Printer = {
    constant: literal,
    exactly: literal,
    label,
    subquery: ({ selection }, left) => `(${rowOf(left)} IN (${printSelected(selection, printer)}))`,
  };
  return printer;
}

function canonicalPrinter(): Printer {
  let size = 0;
  const printed = (type: TypeName, text: string | null, form: 'canonical' | 'print'): string => {
    const value = text === null ? undefined : VALUE_TYPES[type].parse(text);
    const written = value === undefined ? 'NULL' : JSON.stringify(VALUE_TYPES[type][form](value));
    size += written.length;
    if (size > CONSTANT_CHARACTERS_MAX)
      throw new WhereRefusal(`WHERE clause with its values is bigger than maximum size of ${CONSTANT_CHARACTERS_MAX} characters`);
    return `${type} ${written}`;
  };
  const printer: Printer = {
    constant: (type, text) => printed(type, text, 'canonical'),
    exactly: (type, text) => printed(type, text, 'print'),
    label: (type, text) => printed(type, text, 'print'),
    subquery: ({ selection }, left) => `(${rowOf(left)} IN (${printSelected(selection, printer)}))`,
  };
  return printer;
}

function printSelected({ table, columns, where }: Selection, printer: Printer): string {
  const filter = where === undefined ? '' : ` WHERE ${printCondition(where, printer)}`;
  const selected = columns.map(({ column, casts }) => [quoteIdentifier(column.name), ...casts].join('::'));
  return `SELECT ${selected.join(', ')} FROM ${quoteRelation(table)}${filter}`;
}

function rowOf(parts: readonly string[]): string {
  return parts.length === 1 ? parts.join() : `(${parts.join(', ')})`;
}

function printCondition(condition: Condition, printer: Printer): string {
  const print = (part: Condition): string => printCondition(part, printer);
  switch (condition.kind) {
    case 'operand':
      return printOperand(condition.operand, 'bool', printer);
    case 'compare': {
      const { operator, left, right, type } = condition;
      const first = isOrder(operator) ? collated(printOperand(left, type, printer), type) : printOperand(left, type, printer);
      return `(${first} ${operator} ${printOperand(right, type, printer)})`;
    }
    case 'distinct': {
      const { left, right, type } = condition;
      return `(${printOperand(left, type, printer)} IS DISTINCT FROM ${printOperand(right, type, printer)})`;
    }
    case 'in': {
      const { left, items, type } = condition;
      const first = printOperand(left, type, printer);
      return `(${first} IN (${items.map((item) => printOperand(item, type, printer)).join(', ')}))`;
    }
    case 'like':
      return printLike(condition, printer);
    case 'subquery':
      return printer.subquery(condition, condition.left.map(({ operand, type }) => printOperand(operand, type, printer)));
    case 'and':
    case 'or':
      return `(${condition.parts.map(print).join(condition.kind === 'and' ? ' AND ' : ' OR ')})`;
    case 'not':
      return `(NOT ${print(condition.part)})`;
    case 'isNull':
      return `(${printNullable(condition.part, printer)} IS NULL)`;
    case 'isTruth':
      return `(${print(condition.part)} IS ${condition.truth === null ? 'UNKNOWN' : String(condition.truth).toUpperCase()})`;
  }
}

function printLike({ left, pattern, cases }: Extract<Condition, { kind: 'like' }>, printer: Printer): string {
  const operand = printOperand(left, left.type, printer);
  const text = printer.constant('text', pattern === null ? null : printLikePattern(pattern));
  return cases === undefined ? `(${operand} LIKE ${text})` : `(${cases.collated(operand)} ILIKE ${text})`;
}

function printNullable(part: Extract<Condition, { kind: 'isNull' }>['part'], printer: Printer): string {
  if (part.kind === 'column') return quoteIdentifier(part.name);
  return isOperand(part) ? printOperand(part, part.type, printer) : printCondition(part, printer);
}

/** A conversion inside a family needs no word: Postgres compares the types across. */
function printOperand(operand: Operand, type: TypeName, printer: Printer): string {
  const plain = printPlain(operand, printer);
  return VALUE_TYPES[operand.type].family === VALUE_TYPES[type].family ? plain : `${plain}::${type}`;
}

function printPlain(operand: Operand, printer: Printer): string {
  switch (operand.kind) {
    case 'column':
      return quoteIdentifier(operand.name);
    case 'constant':
      return operand.isLabel === true ? printer.label(operand.type, operand.text) : printer.constant(operand.type, operand.text);
    case 'call':
      return operand.operation.sql(operand.args.map((arg) => {
        return arg.kind === 'constant' && arg.isLabel !== true ? printer.exactly(arg.type, arg.text) : printPlain(arg, printer);
      }));
    case 'truth':
      return printCondition(operand.condition, printer);
  }
}
