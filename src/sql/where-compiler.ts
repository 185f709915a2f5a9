/**
 * From an expression to a function: closures, each part made once. No code is made of text, and a row costs calls only.
 *
 * Logic has three values; null is unknown. A value that cannot be read is an error of ours or of the stream's, and is
 * thrown: whoever asks must not mistake it for false.
 */
import { invariant } from '../base/invariant.ts';
import { conversionOf } from './operations/comparison-types.ts';
import { isOperand, type Call, type Condition, type LeftPart, type Operand, type Subquery, type TypedColumn } from './expression.ts';
import { likeMatcher } from './patterns/like-pattern.ts';
import { compileComparison } from './operations/comparisons.ts';
import { isText } from './operations/implicit-casts.ts';
import type { Reader } from './operations/operation.ts';
import { memberTestOf, type MemberTest } from './subqueries/member-tests.ts';
import { isInFor, truthOfIn } from './subqueries/membership.ts';
import type { Truth } from './subqueries/truths.ts';
import { canonicalValue } from './values/canonical-value.ts';
import type { TypeName } from './values/type-names.ts';
import { VALUE_TYPES } from './values/value-types.ts';
import type { Value } from './values/values.ts';
import type { ColumnText as Text, LeftSide, Membership } from './where.ts';
import { currentEvaluation, spend, spendOn, withinBounds } from './work.ts';

/** Of each type the last long value, which a filter may ask for many times in one row: an array or a jsonb costs its length to read. */
const lastRead = new Map<TypeName, LongValue>();
const READ_AGAIN_CHARACTERS_MAX = 1000;
/** In the time of a step. */
const DECODED_CHARACTERS_AT_ONCE = 64;

interface LongValue {
  readonly written: string;
  readonly value: Value;
  /** The last evaluation that spent what it costs to read. Each does, or the fate of a row would hang on what was asked before it. */
  paidIn: number;
}

export type Predicate = (text: Text, isMember?: Membership) => Truth;

/** What is the same for every row. It is known by identity, so that nothing is asked beside what decides alone. */
const ALWAYS = { true: (): Truth => true, false: (): Truth => false, null: (): Truth => null };

/** What was compiled once: each part of a filter is asked whether it is settled before what it is part of. */
const predicates = new WeakMap<Condition, Predicate>();
const readers = new WeakMap<Call, Reader>();

/** @returns undefined for a condition of which rows are asked. */
export function settledTruth(condition: Condition): Truth | undefined {
  const predicate = predicateOf(condition);
  return isSettled(predicate) ? predicate(noText) : undefined;
}

/** Each evaluation may cost so much and no more. @throws {EvaluationError} where what is the same for every row costs more. */
export function compileCondition(condition: Condition): Predicate {
  return withinBounds<Text, Membership | undefined, Truth>(withinBounds(predicateOf)(condition, undefined));
}

/** Likewise. */
export function compileOperand(operand: Operand): Reader {
  const read = withinBounds(readerFor(operand));
  return (text) => read(text, undefined);
}

function predicateOf(condition: Condition): Predicate {
  const known = predicates.get(condition);
  if (known !== undefined) return known;
  const predicate = compile(condition);
  predicates.set(condition, predicate);
  return predicate;
}

function compile(condition: Condition): Predicate {
  switch (condition.kind) {
    case 'operand':
      return compileBoolean(condition.operand);
    case 'compare': {
      const { operator, left, right, type } = condition;
      if (isNull(left) || isNull(right)) return ALWAYS.null;
      return settled(compileComparison(operator, type, readerOf(left, type), readerOf(right, type)), left, right);
    }
    case 'distinct':
      return compileDistinct(condition);
    case 'in':
      return compileIn(condition);
    case 'like':
      return compileLike(condition);
    case 'subquery':
      return compileSubquery(condition);
    case 'and':
      return compileLogic(condition.parts.map(predicateOf), false);
    case 'or':
      return compileLogic(condition.parts.map(predicateOf), true);
    case 'not':
      return compileNot(predicateOf(condition.part));
    case 'isNull':
      return compileIsNull(condition.part);
    case 'isTruth': {
      const asked = memberTestOf(condition);
      if (asked !== undefined) return compileMemberTest(asked);
      const part = predicateOf(condition.part);
      const test: Predicate = (text, isMember) => part(text, isMember) === condition.truth;
      return isSettled(part) ? always(test) : test;
    }
  }
}

function compileBoolean(operand: Operand): Predicate {
  if (operand.kind === 'truth') return predicateOf(operand.condition);
  const read = readerOf(operand, 'bool');
  return settled((text) => {
    const value = read(text);
    return value === null ? null : value === true;
  }, operand);
}

function compileDistinct({ left, right, type }: Extract<Condition, { kind: 'distinct' }>): Predicate {
  const [readLeft, readRight] = [readerOf(left, type), readerOf(right, type)];
  const { compare } = VALUE_TYPES[type];
  return settled((text) => {
    const a = readLeft(text);
    const b = readRight(text);
    return a === null || b === null ? a !== b : compare(a, b) !== 0;
  }, left, right);
}

/** A list is looked up, not walked: the canonical text is equal for equal values. */
function compileIn({ left, items, type }: Extract<Condition, { kind: 'in' }>): Predicate {
  const [only, ...others] = items;
  if (only !== undefined && isNull(only) && others.length === 0) return ALWAYS.null;
  const read = readerOf(left, type);
  const { canonical } = VALUE_TYPES[type];
  const values = items.map((item) => readerOf(item, type)(noText));
  const listed = new Set(values.flatMap((value) => (value === null ? [] : [canonical(value)])));
  const otherwise = values.includes(null) ? null : false;
  return settled((text) => {
    const value = read(text);
    if (value === null) return null;
    return listed.has(canonical(value)) ? true : otherwise;
  }, left);
}

function compileSubquery({ left, number }: Subquery): Predicate {
  const read = leftReader(left);
  return (text, isMember) => truthOfIn(told(isMember), number, read(text));
}

function compileMemberTest({ subquery: { left, number }, truths }: MemberTest): Predicate {
  const read = leftReader(left);
  return (text, isMember) => isInFor(truths, told(isMember), number, read(text));
}

function told(isMember: Membership | undefined): Membership {
  invariant(isMember !== undefined, 'a filter with subqueries is asked with what they select');
  return isMember;
}

/** What a row has on the left side of a subquery, as it is looked up. */
export function leftReader(left: readonly LeftPart[]): (text: Text) => LeftSide {
  const readers = left.map(partReader);
  const [only] = readers;
  return only !== undefined && readers.length === 1 ? only : (text) => readers.map((read) => read(text));
}

function partReader({ operand, type }: LeftPart): (text: Text) => string | null {
  const { family, canonical } = VALUE_TYPES[type];
  if (operand.kind === 'column' && VALUE_TYPES[operand.type].family === family) return canonicalReader(operand);
  const read = withinBounds<Text, undefined, Value | null>(readerOf(operand, type));
  return (text) => {
    const value = read(text, undefined);
    return value === null ? null : canonical(value);
  };
}

/** The column's value as it is looked up. */
export function canonicalReader({ name, type }: TypedColumn): (text: Text) => string | null {
  return (text) => {
    const written = text(name);
    return written === null ? null : canonicalValue(type, written);
  };
}

/** LIKE sees the blanks at the end of a `char(n)`, which comparisons do not. */
function compileLike({ left, pattern, cases }: Extract<Condition, { kind: 'like' }>): Predicate {
  if (pattern === null || isNull(left)) return ALWAYS.null;
  const read = readerOf(left, left.type);
  const matches = likeMatcher(pattern, cases);
  return settled((text) => {
    const value = read(text);
    return value === null ? null : matches(String(value));
  }, left);
}

/** OR stops at true, AND at false (`decisive`); an unknown part makes the rest unknown at best. */
function compileLogic(parts: readonly Predicate[], decisive: boolean): Predicate {
  if (parts.includes(ALWAYS[`${decisive}`])) return ALWAYS[`${decisive}`];
  const logic: Predicate = (text, isMember) => {
    let truth: Truth = !decisive;
    for (const part of parts) {
      const value = part(text, isMember);
      if (value === decisive) return decisive;
      if (value === null) truth = null;
    }
    return truth;
  };
  return parts.every(isSettled) ? always(logic) : logic;
}

function compileNot(part: Predicate): Predicate {
  const opposite: Predicate = (text, isMember) => {
    const value = part(text, isMember);
    return value === null ? null : !value;
  };
  return isSettled(part) ? always(opposite) : opposite;
}

function compileIsNull(part: Extract<Condition, { kind: 'isNull' }>['part']): Predicate {
  if (part.kind === 'column') return (text) => text(part.name) === null;
  if (isOperand(part)) {
    const read = readerOf(part, part.type);
    return settled((text) => read(text) === null, part);
  }
  const condition = predicateOf(part);
  const test: Predicate = (text, isMember) => condition(text, isMember) === null;
  return isSettled(condition) ? always(test) : test;
}

/** Reads an operand as a value of `type`, under which it is compared. */
function readerOf(operand: Operand, type: TypeName): Reader {
  const read = readerFor(operand);
  if (operand.type === type) return read;
  const convert = conversionOf(operand.type, type);
  if (operand.kind === 'constant') {
    const value = operand.value === null ? null : convert(operand.value);
    return () => value;
  }
  return (text) => {
    const value = read(text);
    return value === null ? null : convert(value);
  };
}

function readerFor(operand: Operand): Reader {
  switch (operand.kind) {
    case 'constant': {
      const { value } = operand;
      return () => value;
    }
    case 'column':
      return columnReader(operand);
    case 'call':
      return readerOfCall(operand);
    case 'truth':
      return predicateOf(operand.condition);
  }
}

function readerOfCall(call: Call): Reader {
  const known = readers.get(call);
  if (known !== undefined) return known;
  const reader = call.operation.compile(call.args.map(readerFor));
  readers.set(call, reader);
  return reader;
}

function columnReader({ name, type }: TypedColumn): Reader {
  if (isText(type)) return (text) => textIn(text, name);
  const { parse } = VALUE_TYPES[type];
  return (text) => {
    const written = text(name);
    if (written === null) return null;
    const last = lastRead.get(type);
    if (last?.written === written) return paid(last);
    spendOn(written);
    const value = parse(written);
    invariant(value !== undefined, `a text that Postgres wrote for type ${type} is one of its values`);
    if (written.length > READ_AGAIN_CHARACTERS_MAX) lastRead.set(type, { written, value, paidIn: currentEvaluation() });
    return value;
  };
}

function paid(last: LongValue): Value {
  if (last.paidIn !== currentEvaluation()) spendOn(last.written);
  last.paidIn = currentEvaluation();
  return last.value;
}

/** What Postgres wrote needs no look for what it does not hold. */
function textIn(text: Text, name: string): string | null {
  const written = text(name);
  if (written !== null && written.length > READ_AGAIN_CHARACTERS_MAX) spend(written.length / DECODED_CHARACTERS_AT_ONCE);
  return written;
}

/** What is asked of constants alone is asked once. */
function settled(predicate: Predicate, ...operands: readonly Operand[]): Predicate {
  return operands.every(({ kind }) => kind === 'constant') ? always(predicate) : predicate;
}

function always(predicate: Predicate): Predicate {
  return ALWAYS[`${predicate(noText)}`];
}

function isSettled(predicate: Predicate): boolean {
  return Object.values(ALWAYS).some((known) => known === predicate);
}

/** Beside a NULL that stands in the filter nothing is worked out. */
function isNull(operand: Operand): boolean {
  return operand.kind === 'constant' && operand.value === null;
}

function noText(): null {
  return null;
}
