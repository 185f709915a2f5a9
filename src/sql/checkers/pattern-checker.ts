/** LIKE and ILIKE, written as operators or as functions, with patterns that stand in the filter or in the row. */
import type { CallChecker } from './call-checker.ts';
import { callOf, evaluated, NO_OVERLOAD, operandOf, settled, truthOf, type Checked, type Location } from './checked.ts';
import type { Condition, Operand } from '../expression.ts';
import { isAscii, isOpen, parseLikePattern, printLikePattern, type LikePattern } from '../patterns/like-pattern.ts';
import type { Parameters } from './literals.ts';
import { quantified } from '../operations/arrays.ts';
import { ASSUMED_CASES, UNICODE_CASES, type Cases } from '../operations/cases.ts';
import { isText } from '../operations/implicit-casts.ts';
import { likeOperation, matchOperation } from '../operations/texts.ts';
import type { ScalarName } from '../values/type-names.ts';
import { asArray } from '../values/values.ts';
import { regularExpression } from '../patterns/regular-expression.ts';
import { refusalAt } from '../where-refusal.ts';

export interface LikeSign {
  readonly negated: boolean;
  readonly ignoreCase: boolean;
}

const LIKE: LikeSign = { negated: false, ignoreCase: false };
const NOT_LIKE: LikeSign = { negated: true, ignoreCase: false };
const ILIKE: LikeSign = { negated: false, ignoreCase: true };
const NOT_ILIKE: LikeSign = { negated: true, ignoreCase: true };
const SIGNS: ReadonlyMap<string, LikeSign> = new Map([['~~', LIKE], ['!~~', NOT_LIKE], ['~~*', ILIKE], ['!~~*', NOT_ILIKE]]);
const FUNCTIONS: ReadonlyMap<string, LikeSign> = new Map([
  ['like', LIKE], ['notlike', NOT_LIKE], ['ilike', ILIKE], ['notilike', NOT_ILIKE],
]);
const MATCHES: ReadonlySet<string> = new Set(['~', '~*', '!~', '!~*']);
/** Of all constants that a filter holds to patterns: both come from a request, which shall not wait for it. */
const HELD_CHARACTERS_MAX = 10_000;
const ASCII_ONLY = 'a pattern with characters outside ASCII is not supported yet';

/** `~`, `~*` and their opposites. */
export function isMatchSign(operator: string): boolean {
  return MATCHES.has(operator);
}

/** Undefined for an operator that is none of LIKE's. */
export function likeSign(operator: string): LikeSign | undefined {
  return SIGNS.get(operator);
}

export class PatternChecker {
  private readonly parameters: Parameters;
  private readonly calls: CallChecker;
  private heldCharacters = 0;

  constructor(parameters: Parameters, calls: CallChecker) {
    this.parameters = parameters;
    this.calls = calls;
  }

  like({ negated, ignoreCase }: LikeSign, left: Checked, right: Checked, location: Location): Operand {
    const operand = this.text(left, location);
    const pattern = this.text(right, location);
    if (pattern.type === 'bpchar' || !isText(pattern.type)) throw refusalAt(location, NO_OVERLOAD);
    if (!isText(operand.type)) throw refusalAt(location, NO_OVERLOAD);
    const cases = ignoreCase ? this.calls.casesOf('ILIKE', [operand, pattern], location) : undefined;
    if (pattern.kind !== 'constant') {
      return callOf(likeOperation(negated, cases), 'bool', [operand, pattern], location);
    }
    this.hold(operand, 1, location);
    const condition: Condition = { kind: 'like', left: operand, pattern: this.pattern(pattern.text, cases, location), cases };
    return settled(truthOf(negated ? { kind: 'not', part: condition } : condition));
  }

  /** `text LIKE ANY (array)`, or ALL. */
  likeQuantified(
    { negated, ignoreCase }: LikeSign,
    all: boolean,
    left: Checked,
    { array, item }: { readonly array: Operand; readonly item: ScalarName },
    location: Location,
  ): Operand {
    const operand = this.text(left, location);
    if (!isText(operand.type) || !isText(item) || item === 'bpchar') throw refusalAt(location, NO_OVERLOAD);
    const cases = ignoreCase ? this.calls.casesOf('ILIKE', [operand, array], location) : undefined;
    if (array.kind === 'constant' && array.value !== null) this.hold(operand, asArray(array.value).items.length, location);
    const sign = `${negated ? '!' : ''}~~${ignoreCase ? '*' : ''}`;
    return callOf(quantified(sign, all, likeOperation(negated, cases), cases?.collated), 'bool', [operand, array], location);
  }

  /** A text and a regular expression that stands in the filter. */
  match(sign: string, left: Checked, right: Checked, location: Location): Operand {
    const [operand, pattern] = [this.text(left, location), this.text(right, location)];
    if (!isText(operand.type) || !isText(pattern.type) || pattern.type === 'bpchar') throw refusalAt(location, NO_OVERLOAD);
    if (pattern.kind !== 'constant') throw refusalAt(location, 'a regular expression must be a constant');
    this.hold(operand, 1, location);
    const ignoreCase = sign.endsWith('*');
    const plain = pattern.text === null ? (): boolean => false : regularExpression(pattern.text, ignoreCase);
    const what = plain === undefined ? `the regular expression ${pattern.text}` : sign;
    const cases = plain === undefined || ignoreCase ? this.calls.casesOf(what, [operand], location) : undefined;
    const matches = plain ?? regularExpression(pattern.text ?? '', ignoreCase, cases !== UNICODE_CASES);
    if (matches === undefined) throw refusalAt(location, `the regular expression ${pattern.text} is not supported`);
    return callOf(matchOperation(sign, matches, cases), 'bool', [operand, pattern], location);
  }

  /** `like(text, pattern)`. @returns undefined for a function that is none of these. */
  function(name: string, args: readonly Checked[], location: Location): Operand | undefined {
    const sign = FUNCTIONS.get(name);
    const [text, pattern, ...others] = args;
    if (sign === undefined || text === undefined || pattern === undefined || others.length > 0) return undefined;
    return this.like(sign, text, pattern, location);
  }

  private pattern(text: string | null, cases: Cases | undefined, location: Location): LikePattern | null {
    if (text === null) return null;
    const pattern = parseLikePattern(text);
    if (isOpen(pattern)) throw refusalAt(location, `invalid pattern of LIKE: ${text}`);
    if (cases === ASSUMED_CASES && !isAscii(pattern)) throw refusalAt(location, `ILIKE ${printLikePattern(pattern)}: ${ASCII_ONLY}`);
    evaluated(() => cases?.lower(printLikePattern(pattern)), location);
    return pattern;
  }

  /** @throws {WhereRefusal} when it is one constant too many, or too long. */
  private hold(operand: Operand, patterns: number, location: Location): void {
    if (operand.kind !== 'constant') return;
    this.heldCharacters += patterns * (operand.text?.length ?? 0);
    if (this.heldCharacters <= HELD_CHARACTERS_MAX) return;
    throw refusalAt(location, `constants of more than ${HELD_CHARACTERS_MAX} characters are held to patterns`);
  }

  private text(checked: Checked, location: Location): Operand {
    const operand = operandOf(checked, location);
    return operand.kind === 'untyped' ? this.parameters.typed(operand, 'text') : operand;
  }
}

