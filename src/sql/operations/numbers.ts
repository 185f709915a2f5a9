/** Arithmetic: results, and what is too large for them, as Postgres has it for each type. */
import { divisionByZero, EvaluationError, outOfRange } from '../evaluation-error.ts';
import {
  addNumeric, divideNumeric, isZero, multiplyNumeric, negateNumeric, remainderNumeric, subtractNumeric,
} from '../values/numeric-arithmetic.ts';
import { isNaNumeric, type Numeric } from '../values/numeric.ts';
import type { ScalarName } from '../values/type-names.ts';
import { asNumeric, type Value } from '../values/values.ts';
import { integerFrom } from './casts.ts';
import { call, infix, outOfNumeric, prefix, within, type Operation, type Overload, type Overloads } from './operation.ts';

interface Integer {
  readonly name: ScalarName;
  readonly bits: bigint;
  readonly longName: string;
}

const INTEGERS: readonly Integer[] = [
  { name: 'int2', bits: 15n, longName: 'smallint' },
  { name: 'int4', bits: 31n, longName: 'integer' },
  { name: 'int8', bits: 63n, longName: 'bigint' },
];

type OfIntegers = (left: bigint, right: bigint) => bigint;
type OfFloats = (left: number, right: number) => number;
type OfNumerics = (left: Numeric, right: Numeric) => Numeric | undefined;

/** Numbers of two sizes are calculated with as the larger one. */
const INTEGER_OPERATORS: Readonly<Record<string, OfIntegers>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};
const FLOAT_OPERATORS: Readonly<Record<string, OfFloats>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};
const NUMERIC_OPERATORS: Readonly<Record<string, OfNumerics>> = {
  '+': addNumeric, '-': subtractNumeric, '*': multiplyNumeric, '/': divideNumeric, '%': remainderNumeric,
};
const BIT_OPERATORS: Readonly<Record<string, OfIntegers>> = {
  '&': (left, right) => left & right,
  '|': (left, right) => left | right,
  '#': (left, right) => left ^ right,
};

interface Signed {
  readonly integer: (value: bigint) => bigint;
  readonly float: (value: number) => number;
  readonly numeric: (value: Numeric) => Numeric;
}

const negated: Signed = { integer: (value) => -value, float: (value) => -value, numeric: negateNumeric };
const absolute: Signed = {
  integer: (value) => (value < 0n ? -value : value),
  float: Math.abs,
  numeric: (value) => (value.digits < 0n || value.special === -1 ? negateNumeric(value) : value),
};

export const NUMBER_OPERATORS: Overloads = {
  '+': binary('+'),
  '-': binary('-'),
  '*': binary('*'),
  '/': binary('/'),
  '%': remainders((run) => infix('%', run)),
  '&': bitwise('&'),
  '|': bitwise('|'),
  '#': bitwise('#'),
};

export const NUMBER_PREFIXES: Overloads = {
  '+': ofEach((value) => value, '+'),
  '-': signed((run) => prefix('-', run), negated),
  '@': signed((run) => prefix('@', run), absolute),
  '~': INTEGERS.map(({ name }) => unary(name, prefix('~', (value) => integerFrom(~whole(value))))),
  '|/': [unary('float8', prefix('|/', squareRoot))],
};

export const NUMBER_FUNCTIONS: Overloads = {
  abs: signed((run) => call('abs', run), absolute),
  mod: remainders((run) => call('mod', run)),
  sqrt: [unary('float8', call('sqrt', squareRoot))],
};

function binary(sign: string): readonly Overload[] {
  const [ofIntegers, ofFloats, ofNumerics] = [INTEGER_OPERATORS[sign], FLOAT_OPERATORS[sign], NUMERIC_OPERATORS[sign]];
  return [
    ...(ofIntegers === undefined ? [] : eachPair(INTEGERS, (left, right) => {
      const wider = left.bits > right.bits ? left : right;
      return { takes: [left.name, right.name], gives: wider.name, operation: infix(sign, integerRun(wider, sign, ofIntegers)) };
    })),
    ...(ofFloats === undefined ? [] : eachPair(['float4', 'float8'] as const, (left, right) => {
      const gives = left === 'float4' && right === 'float4' ? 'float4' : 'float8';
      return { takes: [left, right], gives, operation: infix(sign, floatRun(gives, sign, ofFloats)) };
    })),
    ...(ofNumerics === undefined ? [] : [numericOverload((run) => infix(sign, run), sign, ofNumerics)]),
  ];
}

function remainders(operation: (run: (left: Value, right: Value) => Value) => Operation): readonly Overload[] {
  return [
    ...INTEGERS.map((integer): Overload => ({
      takes: [integer.name, integer.name],
      gives: integer.name,
      operation: operation(integerRun(integer, '/', (left, right) => left % right)),
    })),
    numericOverload(operation, '/', remainderNumeric),
  ];
}

function bitwise(sign: string): readonly Overload[] {
  const run = BIT_OPERATORS[sign];
  return run === undefined ? [] : INTEGERS.map(({ name }) => ({
    takes: [name, name], gives: name, operation: infix(sign, (left, right) => integerFrom(run(whole(left), whole(right)))),
  }));
}

function eachPair<Item>(items: readonly Item[], overload: (left: Item, right: Item) => Overload): readonly Overload[] {
  return items.flatMap((left) => items.map((right) => overload(left, right)));
}

function unary(type: ScalarName, operation: Operation): Overload {
  return { takes: [type], gives: type, operation };
}

function ofEach(run: (value: Value) => Value, sign: string): readonly Overload[] {
  return (['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'] as const).map((type) => unary(type, prefix(sign, run)));
}

function signed(operation: (run: (value: Value) => Value) => Operation, { integer, float, numeric }: Signed): readonly Overload[] {
  return [
    ...INTEGERS.map((type) => unary(type.name, operation((value) => fitting(type, integer(whole(value)))))),
    unary('numeric', operation((value) => numeric(asNumeric(value)))),
    unary('float4', operation((value) => float(Number(value)))),
    unary('float8', operation((value) => float(Number(value)))),
  ];
}

function integerRun(type: Integer, sign: string, run: OfIntegers): (left: Value, right: Value) => Value {
  return (left, right) => {
    const divisor = whole(right);
    if (sign === '/' && divisor === 0n) throw divisionByZero();
    return fitting(type, run(whole(left), divisor));
  };
}

function fitting({ bits, longName }: Integer, value: bigint): number | bigint {
  if (value >= 2n ** bits || value < -(2n ** bits)) throw outOfRange(longName);
  return integerFrom(value);
}

function numericOverload(operation: (run: (left: Value, right: Value) => Value) => Operation, sign: string, run: OfNumerics): Overload {
  return {
    takes: ['numeric', 'numeric'],
    gives: 'numeric',
    operation: operation((left, right) => {
      const [a, b] = [asNumeric(left), asNumeric(right)];
      if (sign === '/' && isZero(b) && !isNaNumeric(a)) throw divisionByZero();
      return within(run(a, b), outOfNumeric);
    }),
  };
}

/** A result is infinite, or zero, only where one of the operands is. */
function floatRun(type: 'float4' | 'float8', sign: string, run: OfFloats): (left: Value, right: Value) => Value {
  const rounded = type === 'float4' ? Math.fround : (value: number) => value;
  return (leftValue, rightValue) => {
    const [left, right] = [Number(leftValue), Number(rightValue)];
    if (sign === '/' && right === 0 && !Number.isNaN(left)) throw divisionByZero();
    const result = rounded(run(left, right));
    if (Math.abs(result) === Infinity && Number.isFinite(left) && (sign === '/' || Number.isFinite(right))) throw floatRange('overflow');
    const mayVanish = sign === '*' ? left === 0 || right === 0 : left === 0 || Math.abs(right) === Infinity;
    if (result === 0 && (sign === '*' || sign === '/') && !mayVanish) throw floatRange('underflow');
    return result;
  };
}

function squareRoot(value: Value): number {
  const number = Number(value);
  if (number < 0) throw new EvaluationError('2201F', 'cannot take square root of a negative number');
  return Math.sqrt(number);
}

function floatRange(what: string): EvaluationError {
  return new EvaluationError('22003', `value out of range: ${what}`);
}

function whole(value: Value): bigint {
  return typeof value === 'bigint' ? value : BigInt(Number(value));
}
