/**
 * Literals and parameters, before and after the context has given them a type.
 *
 * As in Postgres, a quoted literal or a parameter is of unknown type until it meets something typed; a parameter
 * keeps the type that it met first.
 */
import { EvaluationError } from '../evaluation-error.ts';
import type { Constant } from '../expression.ts';
import { conversion } from '../operations/casts.ts';
import { isOfToday } from '../values/moment-text.ts';
import type { TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { refusalAt, WhereRefusal } from '../where-refusal.ts';

export interface UntypedLiteral {
  readonly kind: 'untyped';
  /** null for NULL. */
  readonly text: string | null;
  readonly location: number | undefined;
  /** The number of the parameter that it is. */
  readonly parameter?: number;
}

/** Read of parameters, each as often as it is named: a short text names a long one thousands of times. */
const READ_CHARACTERS_MAX = 4_194_304;
const MOMENTS: ReadonlySet<TypeName> = new Set<TypeName>(['date', 'time', 'timestamp', 'timestamptz']);
const PARAMETER_KEY = /^[+-]?\d+$/;

/** The parameters of a request, and the types that the filter gave to them. */
export class Parameters {
  private readonly types = new Map<number, TypeName>();
  private readonly texts: ReadonlyMap<number, string>;

  /**
   * @param spent by all that are made of one request.
   * @throws {WhereRefusal} when the keys are not the numbers from 1 on.
   */
  constructor(
    params: Readonly<Record<string, string>>,
    private readonly spent = { characters: 0 },
  ) {
    const keys = Object.keys(params);
    if (!keys.every((key) => PARAMETER_KEY.test(key))) {
      throw new WhereRefusal('Parameters can only use numbers as keys', 'params');
    }
    this.texts = new Map(Object.entries(params).map(([key, text]) => [Number(key), text]));
    if (this.texts.size !== keys.length || !keys.every((_, index) => this.texts.has(index + 1))) {
      throw new WhereRefusal('Parameters must be numbered sequentially, starting from 1', 'params');
    }
  }

  /** The same texts, of which none has met a type. */
  untyped(): Parameters {
    return new Parameters(Object.fromEntries(this.texts), this.spent);
  }

  /** Takes over the types that `inner` has settled. @returns false when a parameter has another one here. */
  adopt(inner: Parameters): boolean {
    for (const [parameter, type] of inner.types) {
      if ((this.types.get(parameter) ?? type) !== type) return false;
      this.types.set(parameter, type);
    }
    return true;
  }

  read(parameter: number, location: number | undefined): UntypedLiteral | Constant {
    const text = this.texts.get(parameter);
    if (text === undefined) throw refusalAt(location, `parameter $${parameter} was not provided`);
    const literal: UntypedLiteral = { kind: 'untyped', text, location, parameter };
    const type = this.types.get(parameter);
    return type === undefined ? literal : this.typed(literal, type);
  }

  /** The literal as a constant of `type`. @throws {WhereRefusal} when it is none. */
  typed(literal: UntypedLiteral, type: TypeName): Constant {
    const { text, location, parameter } = literal;
    if (parameter !== undefined) {
      this.settle(parameter, type);
      this.spend(text, location);
    }
    const constant = constantOf(type, text);
    if (constant === undefined) throw refusalAt(location, whyNone(type, text ?? ''));
    return constant;
  }

  /** `$n::type`. @throws {WhereRefusal} when the parameter has another type already, or is no value of this one. */
  cast(parameter: number, type: TypeName, location: number | undefined): Constant {
    const { text } = this.read(parameter, location);
    return this.typed({ kind: 'untyped', text, location, parameter }, type);
  }

  private spend(text: string | null, location: number | undefined): void {
    this.spent.characters += text?.length ?? 0;
    if (this.spent.characters > READ_CHARACTERS_MAX) throw refusalAt(location, 'long parameters are named too often');
  }

  private settle(parameter: number, type: TypeName): void {
    const settled = this.types.get(parameter) ?? type;
    if (settled !== type) throw new WhereRefusal(`type conflict for $${parameter}: ${settled} and ${type}`);
    this.types.set(parameter, type);
  }
}

function whyNone(type: TypeName, text: string): string {
  if (MOMENTS.has(type) && isOfToday(text)) return `${type} ${text} is not supported: it would mean something else every day`;
  return `invalid syntax for type ${type}: ${text}`;
}

/** @returns undefined when `text` is no value of `type`. */
export function constantOf(type: TypeName, text: string | null): Constant | undefined {
  if (text === null) return { kind: 'constant', type, value: null, text };
  const value = VALUE_TYPES[type].parse(text);
  // Versions of Postgres differ on fractions of years; what we made of them, all of them read alike.
  const given = type === 'interval' && value !== undefined ? VALUE_TYPES.interval.print(value) : text;
  return value === undefined ? undefined : { kind: 'constant', type, value, text: given };
}

/** A number without quotes has the smallest type that holds it. */
export function numberConstant(text: string): Constant | undefined {
  return constantOf('int4', text) ?? constantOf('int8', text) ?? constantOf('numeric', text);
}

/** `constant::type`. @throws {WhereRefusal} for casts that do not exist, or that we do not make as Postgres does. */
export function castConstant(constant: Constant, type: TypeName, location: number | undefined): Constant {
  const { type: from, value, text } = constant;
  const names = constant.namesColumns === true ? { namesColumns: constant.namesColumns } : {};
  if (from === type) return constant;
  const convert = conversion(from, type);
  if (convert === undefined) throw refusalAt(location, `unknown cast from type ${from} to type ${type}`);
  if (value === null) return { kind: 'constant', type, value, text: null, ...names };
  try {
    const cast = convert(value);
    return { kind: 'constant', type, value: cast, text: cast === null ? null : VALUE_TYPES[type].print(cast), ...names };
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    throw refusalAt(location, `could not cast value ${text} from ${from} to ${type}`);
  }
}
