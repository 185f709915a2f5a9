/** Operations on text. Characters are code points. */
import { EvaluationError } from '../evaluation-error.ts';
import { escapedPattern, likeMatcher, parseLikePattern } from '../patterns/like-pattern.ts';
import type { TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import type { Value } from '../values/values.ts';
import { trimEnd } from '../values/white-space.ts';
import type { Cases } from './cases.ts';
import { call, infix, strict, type Operation, type Overload, type Overloads, type Reader } from './operation.ts';

/** What `replace` may make: far less than Postgres, for whom one value can be 1 GB. */
const CHARACTERS_MAX = 64 * 1024 * 1024;
/** How many matchers of patterns that a row gives are kept. */
const PATTERNS_MAX = 100;

export const CONCATENATION = infix('||', (left, right) => String(left) + String(right));

export const TEXT_FUNCTIONS: Overloads = {
  ...Object.fromEntries(['length', 'char_length', 'character_length'].map((name) => [name, [
    { takes: ['text'], gives: 'int4', operation: call(name, (text) => [...String(text)].length) },
    { takes: ['bpchar'], gives: 'int4', operation: call(name, (text) => [...trimEnd(String(text), ' ')].length) },
  ]])),
  octet_length: [
    ...(['text', 'bpchar'] as const).map((type): Overload => {
      return { takes: [type], gives: 'int4', operation: call('octet_length', (text) => new TextEncoder().encode(String(text)).length) };
    }),
  ],
  like_escape: [
    { takes: ['text', 'text'], gives: 'text', operation: call('like_escape', likeEscape) },
  ],
  ...trims('ltrim', (text, characters) => trimStartOf(text, characters)),
  ...trims('rtrim', (text, characters) => trimEndOf(text, characters)),
  ...trims('btrim', (text, characters) => trimStartOf(trimEndOf(text, characters), characters)),
  ...Object.fromEntries(['substring', 'substr'].map((name) => [name, [
    { takes: ['text', 'int4'], gives: 'text', operation: call(name, (text, from) => substring(String(text), Number(from))) },
    {
      takes: ['text', 'int4', 'int4'], gives: 'text',
      operation: call(name, (text, from, length) => substring(String(text), Number(from), Number(length))),
    },
  ]])),
  left: [{ takes: ['text', 'int4'], gives: 'text', operation: call('left', (text, count) => leftOf([...String(text)], Number(count))) }],
  right: [{ takes: ['text', 'int4'], gives: 'text', operation: call('right', (text, count) => rightOf([...String(text)], Number(count))) }],
  replace: [{
    takes: ['text', 'text', 'text'], gives: 'text',
    operation: call('replace', (text, from, to) => replaced(String(text), String(from), String(to))),
  }],
  starts_with: [{
    takes: ['text', 'text'], gives: 'bool',
    operation: call('starts_with', (text, start) => String(text).startsWith(String(start))),
  }],
  strpos: [{ takes: ['text', 'text'], gives: 'int4', operation: call('strpos', (text, part) => placeOf(String(text), String(part))) }],
  reverse: [{ takes: ['text'], gives: 'text', operation: call('reverse', (text) => [...String(text)].reverse().join('')) }],
};

export function lower(cases: Cases): Operation {
  return cased('lower', cases, (text) => cases.lower(text));
}

export function upper(cases: Cases): Operation {
  return cased('upper', cases, (text) => cases.upper(text));
}

function cased(name: string, { collated }: Cases, run: (text: string) => string): Operation {
  return { ...call(name, (text) => run(String(text))), sql: ([text = '']) => `${name}(${collated(text)})` };
}

/** Of arguments of any types, as Postgres writes them; NULLs are nothing. */
export function concat(types: readonly TypeName[]): Operation {
  const prints = types.map((type) => VALUE_TYPES[type].print);
  return {
    sql: (args) => `concat(${args.join(', ')})`,
    compile: (readers) => (text) => readers.map((read, at) => {
      const value = read(text);
      return value === null ? '' : (prints[at] ?? String)(value);
    }).join(''),
    isStable: true,
  };
}

/**
 * LIKE with a pattern that is worked out for each row.
 *
 * @param cases of ILIKE.
 */
export function likeOperation(negated: boolean, cases?: Cases): Operation {
  const sign = `${negated ? '!' : ''}~~${cases === undefined ? '' : '*'}`;
  return {
    sql: ([text = '', pattern = '']) => `(${cases?.collated(text) ?? text} ${sign} ${pattern})`,
    compile: (readers) => compileLike(readers, negated, cases),
    isStrict: true,
  };
}

/**
 * `~` and its kin.
 *
 * @param matches the pattern that is written beside the text.
 */
export function matchOperation(sign: string, matches: (text: string) => boolean, cases?: Cases): Operation {
  const negated = sign.startsWith('!');
  return {
    sql: ([text = '', pattern = '']) => `(${cases?.collated(text) ?? text} ${sign} ${pattern})`,
    compile: strict((text) => matches(String(text)) !== negated),
    isStrict: true,
  };
}

function compileLike([readText, readPattern]: readonly Reader[], negated: boolean, cases: Cases | undefined): Reader {
  const matchers = new Map<string, (text: string) => boolean>();
  return (row) => {
    const [text = null, pattern = null] = [readText?.(row), readPattern?.(row)];
    if (text === null || pattern === null) return null;
    const matches = matchers.get(String(pattern)) ?? likeMatcher(parseLikePattern(String(pattern)), cases);
    if (matchers.size >= PATTERNS_MAX) matchers.clear();
    matchers.set(String(pattern), matches);
    return matches(String(text)) !== negated;
  };
}

function likeEscape(pattern: Value, escape: Value): string {
  const escaped = escapedPattern(String(pattern), String(escape));
  if (escaped === undefined) throw new EvaluationError('22025', 'invalid escape string');
  return escaped;
}

function trims(name: string, run: (text: readonly string[], characters: ReadonlySet<string>) => readonly string[]): Overloads {
  const trimmed = (text: string, characters: string): string => run([...text], new Set(characters)).join('');
  return {
    [name]: [
      { takes: ['text'], gives: 'text', operation: call(name, (text) => trimmed(String(text), ' ')) },
      { takes: ['text', 'text'], gives: 'text', operation: call(name, (text, characters) => trimmed(String(text), String(characters))) },
    ],
  };
}

function trimStartOf(text: readonly string[], characters: ReadonlySet<string>): readonly string[] {
  const start = text.findIndex((character) => !characters.has(character));
  return start < 0 ? [] : text.slice(start);
}

function trimEndOf(text: readonly string[], characters: ReadonlySet<string>): readonly string[] {
  return text.slice(0, text.findLastIndex((character) => !characters.has(character)) + 1);
}

/** Counted from 1; what lies before the first is nothing, but counts. */
function substring(text: string, from: number, length = Infinity): string {
  if (length < 0) throw new EvaluationError('22011', 'negative substring length not allowed');
  return [...text].slice(Math.max(0, from - 1), Math.max(0, from - 1 + length)).join('');
}

/** Less than none leaves so many away at the other end. */
function leftOf(text: readonly string[], count: number): string {
  return text.slice(0, count).join('');
}

function rightOf(text: readonly string[], count: number): string {
  return text.slice(count >= 0 ? Math.max(0, text.length - count) : -count).join('');
}

function replaced(text: string, from: string, to: string): string {
  if (from === '') return text;
  const parts = text.split(from);
  if (text.length + (parts.length - 1) * to.length > CHARACTERS_MAX) throw new EvaluationError('54000', 'text is too long');
  return parts.join(to);
}

function placeOf(text: string, part: string): number {
  const at = text.indexOf(part);
  return at < 0 ? 0 : [...text.slice(0, at)].length + 1;
}
