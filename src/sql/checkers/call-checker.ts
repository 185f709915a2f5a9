/** Operators, functions and casts: which operation a name means for the types beside it, or why none. */
import type { TimeZone } from '../../model/time-zone.ts';
import {
  applied, callOf, coerced, constantFrom, enumText, evaluated, NO_OVERLOAD, operandOf, settled, typeOf, type Checked, type Location,
} from './checked.ts';
import { columnsIn, type Operand } from '../expression.ts';
import { castConstant, type Parameters } from './literals.ts';
import { castDiffers, inVersion } from './older-versions.ts';
import {
  ARRAY_CONCATENATION, ARRAY_LENGTH, ARRAY_NDIMS, arrayOperators, CARDINALITY, slice, subscript,
} from '../operations/arrays.ts';
import { ASCII_CASES, ASSUMED_CASES, UNICODE_CASES, type Cases } from '../operations/cases.ts';
import { castOf } from '../operations/casts.ts';
import { commonType, isText } from '../operations/implicit-casts.ts';
import type { Operation, Overload } from '../operations/operation.ts';
import { FUNCTIONS, OPERATORS, PREFIXES } from '../operations/operators.ts';
import { chooseFunction, chooseOperator } from '../operations/overloads.ts';
import { concat, CONCATENATION, lower, upper } from '../operations/texts.ts';
import { inZone, isKnownZone } from '../operations/zones.ts';
import type { Interval } from '../values/interval.ts';
import { arrayOf, isScalar, itemOf, type ScalarName, type TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { refusalAt } from '../where-refusal.ts';
import type { DatabaseRules } from '../where.ts';

type Args = readonly Checked[];
type Types = readonly (TypeName | undefined)[];

/** Of a slice in one dimension. */
export interface Bounds {
  readonly lower: Checked | undefined;
  readonly upper: Checked | undefined;
}

const ARRAY_OPERATORS = new Set(['@>', '<@', '&&']);
/** Beside a literal they have an operator of their own, which is none of text. */
const OWN_CONCATENATION: ReadonlySet<TypeName> = new Set<TypeName>(['bytea', 'jsonb']);
const UNIT_FUNCTIONS: ReadonlySet<string> = new Set(['date_trunc', 'date_part', 'extract']);
const NO_TIME: Interval = { months: 0, days: 0, micros: 0n };
const CASED = { lower, upper };

export class CallChecker {
  private readonly parameters: Parameters;
  private readonly database: DatabaseRules;

  constructor(parameters: Parameters, database: DatabaseRules) {
    this.parameters = parameters;
    this.database = database;
  }

  binary(name: string, left: Checked, right: Checked, location: Location): Operand {
    if (name === '||') return this.concatenation(left, right, location);
    const ofJson = typesOf([left, right], location).includes('jsonb');
    if (ARRAY_OPERATORS.has(name) && !ofJson) return this.betweenArrays(name, left, right, location);
    const overloads = OPERATORS.get(name);
    if (overloads === undefined) throw refusalAt(location, `unknown binary operator "${name}"`);
    return this.operator(overloads, [left, right], location);
  }

  unary(name: string, arg: Checked, location: Location): Operand {
    const overloads = PREFIXES.get(name);
    if (overloads === undefined) throw refusalAt(location, `unknown unary operator "${name}"`);
    return this.operator(overloads, [arg], location);
  }

  function(name: string, args: Args, location: Location): Operand {
    if (name === 'lower' || name === 'upper') return this.cased(name, args, location);
    if (name === 'concat' && args.length > 0) return this.concat(args, location);
    const [only, ...others] = args;
    if (only !== undefined && others.length === 0 && isScalar(name)) return this.cast(only, name, location);
    const ofArrays = this.arrayFunction(name, args, location);
    if (ofArrays !== undefined) return ofArrays;
    const zone = name === 'timezone' && args.length === 2 ? this.zoneOf(args, location) : undefined;
    const named = zone === undefined ? FUNCTIONS.get(name) : inZone(zone);
    const overloads = (named ?? []).filter(({ takes }) => takes.length === args.length);
    if (overloads.length === 0) throw refusalAt(location, `unknown or unsupported function ${name}/${args.length}`);
    const operand = this.chosen(chooseFunction(overloads, typesOf(args, location)), args, location, overloadText(name, args));
    if (UNIT_FUNCTIONS.has(name)) refuseUnknownUnit(operand, location);
    return operand;
  }

  /** `value::type`. */
  cast(value: Checked, type: TypeName, location: Location): Operand {
    if (value.kind === 'untyped') return this.parameters.typed(value, type);
    if (value.kind === 'opaque') {
      if (value.isEnum && type === 'text') return enumText(value.name);
      throw refusalAt(location, `unknown cast from type ${value.type} to type ${type}`);
    }
    const operand = settled(value);
    const cast = castOf(operand.type, type);
    const constant = operand.kind === 'constant' ? castConstant(operand, type, location) : undefined;
    if (constant !== undefined && cast?.isStable !== true) return constant;
    if (operand.type === type) return operand;
    if (cast === undefined || castDiffers(operand.type, type, this.database.version)) {
      throw refusalAt(location, `unknown cast from type ${operand.type} to type ${type}`);
    }
    return callOf(cast, type, [operand], location);
  }

  /** `array[1][2]`. */
  subscripted(array: Checked, indexes: Args, location: Location): Operand {
    const { operand, item } = this.subscriptable(array, location);
    return callOf(subscript(indexes.length), item, [operand, ...this.subscripts(indexes, location)], location);
  }

  /** `array[1:2][:3]`. */
  sliced(array: Checked, bounds: readonly Bounds[], location: Location): Operand {
    const { operand } = this.subscriptable(array, location);
    const given = bounds.map(({ lower, upper }) => ({ lower: lower !== undefined, upper: upper !== undefined }));
    const indexes = bounds.flatMap(({ lower, upper }) => [lower, upper].filter((bound) => bound !== undefined));
    return callOf(slice(given), operand.type, [operand, ...this.subscripts(indexes, location)], location);
  }

  /** What letters have two cases in an expression: the collation of its columns says, or else that of the database. */
  casesOf(what: string, operands: readonly Operand[], location: Location): Cases {
    const ofColumns = columnsIn(...operands).map((column) => ('collation' in column ? column.collation : undefined));
    const known = ofColumns.filter((collation) => collation !== undefined);
    const collations = known.length === 0 && this.database.collation !== undefined ? [this.database.collation] : known;
    const unknown = collations.find(({ cases }) => cases === 'unknown');
    if (unknown !== undefined) throw refusalAt(location, `${what} under the collation ${unknown.name} is not supported`);
    const [first] = collations;
    if (first === undefined) return ASSUMED_CASES;
    const other = collations.find(({ cases }) => cases !== first.cases);
    if (other !== undefined) {
      throw refusalAt(location, `${what} under both the collations ${first.name} and ${other.name} is not supported`);
    }
    return first.cases === 'unicode' ? UNICODE_CASES : ASCII_CASES;
  }

  private subscriptable(array: Checked, location: Location): { readonly operand: Operand; readonly item: ScalarName } {
    const operand = operandOf(array, location);
    const item = operand.kind === 'untyped' ? undefined : itemOf(operand.type);
    if (operand.kind !== 'untyped' && item !== undefined) return { operand, item };
    throw refusalAt(location, `cannot subscript type ${typeOf(array) ?? 'unknown'} because it is not an array`);
  }

  private subscripts(indexes: Args, location: Location): readonly Operand[] {
    return indexes.map((index) => coerced(this.parameters, index, 'int4', location));
  }

  private operator(overloads: readonly Overload[], args: Args, location: Location): Operand {
    return this.chosen(chooseOperator(overloads, typesOf(args, location)), args, location, NO_OVERLOAD);
  }

  private chosen(overload: Overload | undefined, args: Args, location: Location, otherwise: string): Operand {
    if (overload === undefined) throw refusalAt(location, otherwise);
    const own = inVersion(overload, this.database.version);
    if (typeof own === 'string') throw refusalAt(location, own);
    return applied(this.parameters, own, args, location);
  }

  private concatenation(left: Checked, right: Checked, location: Location): Operand {
    const [leftType, rightType] = typesOf([left, right], location);
    const isArray = [leftType, rightType].some((type) => type !== undefined && itemOf(type) !== undefined);
    if (isArray) return this.arrayConcatenation(left, right, location);
    const types = [leftType, rightType].filter((type) => type !== undefined);
    const isTextual = types.some(isText) || (types.length < 2 && !types.some((type) => OWN_CONCATENATION.has(type)));
    if (!isTextual) throw refusalAt(location, NO_OVERLOAD);
    return callOf(CONCATENATION, 'text', [left, right].map((side) => this.cast(side, 'text', location)), location);
  }

  /** Of items of one type in common. */
  private arrayConcatenation(left: Checked, right: Checked, location: Location): Operand {
    const types = typesOf([left, right], location);
    const items = types.map((type) => (type === undefined ? undefined : (itemOf(type) ?? type)));
    const item = commonType(items);
    if (item === undefined || !isScalar(item)) throw refusalAt(location, NO_OVERLOAD);
    const areArrays = types.map((type) => type === undefined || itemOf(type) !== undefined);
    const operation = areArrays[0] === true
      ? areArrays[1] === true ? ARRAY_CONCATENATION.both : ARRAY_CONCATENATION.append
      : ARRAY_CONCATENATION.prepend;
    const args = [left, right].map((side, at) => coerced(this.parameters, side, areArrays[at] === true ? arrayOf(item) : item, location));
    return callOf(operation, arrayOf(item), args, location);
  }

  private betweenArrays(name: string, left: Checked, right: Checked, location: Location): Operand {
    const known = typesOf([left, right], location).find((type) => type !== undefined);
    const item = known === undefined ? undefined : itemOf(known);
    if (item === undefined) throw refusalAt(location, NO_OVERLOAD);
    return this.operator(arrayOperators(item)[name] ?? [], [left, right], location);
  }

  /** @returns undefined for a name that is none of theirs. */
  private arrayFunction(name: string, args: Args, location: Location): Operand | undefined {
    const [first, second] = args;
    if (first === undefined) return undefined;
    const ofOne = (operation: Operation): Operand => callOf(operation, 'int4', [this.array(name, args, first, location)], location);
    switch (`${name}/${args.length}`) {
      case 'array_ndims/1':
        return ofOne(ARRAY_NDIMS);
      case 'cardinality/1':
        return ofOne(CARDINALITY);
      case 'array_length/2':
        return second && callOf(ARRAY_LENGTH, 'int4', [
          this.array(name, args, first, location), coerced(this.parameters, second, 'int4', location),
        ], location);
      case 'array_cat/2':
      case 'array_append/2':
      case 'array_prepend/2':
        return second && this.joinedArrays(name, first, second, location);
      default:
        return undefined;
    }
  }

  private array(name: string, args: Args, value: Checked, location: Location): Operand {
    const operand = operandOf(value, location);
    if (operand.kind !== 'untyped' && itemOf(operand.type) !== undefined) return operand;
    throw refusalAt(location, overloadText(name, args));
  }

  private joinedArrays(name: string, left: Checked, right: Checked, location: Location): Operand {
    const [leftType, rightType] = typesOf([left, right], location);
    const isArray = (type: TypeName | undefined, wanted: boolean): boolean => type === undefined || (itemOf(type) !== undefined) === wanted;
    const fits = isArray(leftType, name !== 'array_prepend') && isArray(rightType, name !== 'array_append');
    const items = [leftType, rightType].map((type) => (type === undefined ? undefined : (itemOf(type) ?? type)));
    const item = commonType(items);
    if (!fits || item === undefined || !isScalar(item)) throw refusalAt(location, overloadText(name, [left, right]));
    const operations = { array_cat: ARRAY_CONCATENATION.both, array_append: ARRAY_CONCATENATION.append };
    const operation = name === 'array_cat' || name === 'array_append' ? operations[name] : ARRAY_CONCATENATION.prepend;
    return callOf(operation, arrayOf(item), [
      coerced(this.parameters, left, name === 'array_prepend' ? item : arrayOf(item), location),
      coerced(this.parameters, right, name === 'array_append' ? item : arrayOf(item), location),
    ], location);
  }

  private cased(name: 'lower' | 'upper', args: Args, location: Location): Operand {
    const takes: Overload = { takes: ['text'], gives: 'text', operation: CASED[name](ASCII_CASES) };
    const overload = chooseFunction([takes], typesOf(args, location));
    const [text] = args;
    if (overload === undefined || text === undefined) throw refusalAt(location, overloadText(name, args));
    const operand = coerced(this.parameters, text, 'text', location);
    return callOf(CASED[name](this.casesOf(name, [operand], location)), 'text', [operand], location);
  }

  private concat(args: Args, location: Location): Operand {
    const operands = args.map((arg) => {
      const operand = operandOf(arg, location);
      if (operand.kind === 'untyped') return this.parameters.typed(operand, 'text');
      const isKnown = operand.kind === 'constant' && operand.value !== null;
      return isKnown ? constantFrom('text', VALUE_TYPES[operand.type].print(operand.value)) : operand;
    });
    return callOf(concat(operands.map(({ type }) => type)), 'text', operands, location);
  }

  /** Of the name that is given to `timezone`: undefined for one that says all, and for an interval. */
  private zoneOf([zone, moment]: Args, location: Location): TimeZone | undefined {
    const operand = zone === undefined || moment === undefined ? undefined : operandOf(zone, location);
    if (operand === undefined || (operand.kind !== 'untyped' && !isText(operand.type))) return undefined;
    const name = operand.kind === 'untyped' || operand.kind === 'constant' ? operand.text : undefined;
    if (name === undefined) throw refusalAt(location, 'a time zone must be a constant');
    if (name === null || isKnownZone(name)) return undefined;
    const known = this.database.zones?.(name);
    if (known === undefined) throw refusalAt(location, `nothing is known of the time zone ${name}`, name);
    if (typeof known === 'string') throw refusalAt(location, known);
    return known;
  }
}

/** A unit that stands in the filter is one in every row, or in none. */
function refuseUnknownUnit(operand: Operand, location: Location): void {
  if (operand.kind !== 'call') return;
  const [unit, value] = operand.args;
  if (unit?.kind !== 'constant' || value === undefined) return;
  const sample = value.type === 'interval' ? NO_TIME : 0;
  evaluated(() => operand.operation.compile([() => unit.value, () => sample])(() => null), location);
}

function typesOf(args: Args, location: Location): Types {
  return args.map((arg) => operandOf(arg, location)).map((arg) => (arg.kind === 'untyped' ? undefined : arg.type));
}

function overloadText(name: string, args: Args): string {
  return `Could not select a function overload for ${name}(${args.map((arg) => typeOf(arg) ?? 'unknown').join(', ')})`;
}
