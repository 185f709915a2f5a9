/** What the checker makes of a node: a typed part of a filter, or a literal that its place has yet to type. */
import { EvaluationError } from '../evaluation-error.ts';
import { columnsIn, CONSTANT_CHARACTERS_MAX, type Call, type Condition, type Constant, type Operand, type Truth } from '../expression.ts';
import type { Parameters, UntypedLiteral } from './literals.ts';
import { castOf } from '../operations/casts.ts';
import type { Operation, Overload } from '../operations/operation.ts';
import type { TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import type { Value } from '../values/values.ts';
import { settledTruth } from '../where-compiler.ts';
import { refusalAt } from '../where-refusal.ts';
import { withinBounds } from '../work.ts';

/** A column of a type that has no operators here: it can be asked for NULL. */
export interface OpaqueColumn {
  readonly kind: 'opaque';
  readonly name: string;
  readonly type: string;
  /** Then its text is that of `::text`. */
  readonly isEnum: boolean;
  /** Why it has none, where its type has. */
  readonly why?: string;
}

export type Typed = Operand | OpaqueColumn;
export type Checked = Typed | UntypedLiteral;

/** In bytes of the parsed text. */
export type Location = number | undefined;

export const NO_OVERLOAD = 'Could not select an operator overload';

export function truthOf(condition: Condition): Truth {
  return { kind: 'truth', type: 'bool', condition };
}

/** @returns undefined for what is not boolean. */
export function asCondition(typed: Typed): Condition | undefined {
  if (typed.kind === 'opaque' || typed.type !== 'bool') return undefined;
  return typed.kind === 'truth' ? typed.condition : { kind: 'operand', operand: typed };
}

/** A side of an operator. @throws {WhereRefusal} when it cannot be one. */
export function operandOf(checked: Checked, location: Location): Operand | UntypedLiteral {
  if (checked.kind === 'opaque') throw refusalAt(location, checked.why ?? NO_OVERLOAD);
  return checked.kind === 'untyped' ? checked : settled(checked);
}

/** A condition that is the same for every row is a constant. */
export function settled(operand: Operand): Operand {
  const truth = operand.kind === 'truth' ? settledTruth(operand.condition) : undefined;
  return truth === undefined ? operand : settledFrom([operand], 'bool', truth);
}

/** Undefined for a literal without a type. */
export function typeOf(checked: Checked): string | undefined {
  return checked.kind === 'untyped' ? undefined : checked.type;
}

/** As a value of `type`, as Postgres makes one of it without being asked. The types allow that. @throws {WhereRefusal} */
export function coerced(parameters: Parameters, checked: Checked, type: TypeName, location: Location): Operand {
  const operand = operandOf(checked, location);
  if (operand.kind === 'untyped') return parameters.typed(operand, type);
  if (operand.type === type) return operand;
  const cast = castOf(operand.type, type);
  if (cast === undefined) throw refusalAt(location, `unknown cast from type ${operand.type} to type ${type}`);
  return callOf(cast, type, [operand], location);
}

export function applied(parameters: Parameters, overload: Overload, args: readonly Checked[], location: Location): Operand {
  const { takes, gives, operation } = overload;
  return callOf(operation, gives, args.map((arg, at) => coerced(parameters, arg, takes[at] ?? gives, location)), location);
}

/** Of constants it is one itself, where it is not stable. @throws {WhereRefusal} where their value is an error in Postgres. */
export function callOf(operation: Operation, type: TypeName, args: readonly Operand[], location: Location): Call | Constant {
  const constants = args.filter((arg) => arg.kind === 'constant');
  if (operation.isStrict === true && constants.some(({ value }) => value === null)) return settledFrom(args, type, null);
  if (constants.length < args.length) return { kind: 'call', type, operation, args };
  const read = operation.compile(constants.map(({ value }) => () => value));
  const constant = settledFrom(args, type, evaluated(() => read(() => null), location));
  if ((constant.text?.length ?? 0) > CONSTANT_CHARACTERS_MAX) {
    throw refusalAt(location, `a constant is longer than ${CONSTANT_CHARACTERS_MAX} characters`);
  }
  return operation.isStable === true ? { kind: 'call', type, operation, args } : constant;
}

/** @param parts of which it was made. */
export function settledFrom(parts: readonly Operand[], type: TypeName, value: Value | null): Constant {
  const namesColumns = parts.some((part) => (part.kind === 'constant' ? part.namesColumns === true : columnsIn(part).length > 0));
  const constant = constantFrom(type, value);
  return namesColumns ? { ...constant, namesColumns } : constant;
}

export function constantFrom(type: TypeName, value: Value | null): Constant {
  return { kind: 'constant', type, value, text: value === null ? null : VALUE_TYPES[type].print(value) };
}

/** An enum's value is the text of its label. */
export function enumText(name: string): Operand {
  const operation: Operation = { sql: ([label = '']) => `(${label})::text`, compile: ([read]) => read ?? (() => null) };
  return { kind: 'call', type: 'text', operation, args: [{ kind: 'column', name, type: 'text' }] };
}

/** What can be worked out before there is a row. */
export function evaluated<Result>(run: () => Result, location: Location): Result {
  try {
    return withinBounds(run)(undefined, undefined);
  } catch (error) {
    if (error instanceof EvaluationError) throw refusalAt(location, error.message);
    throw error;
  }
}
