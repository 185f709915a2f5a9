/** Operations on text. Characters are code points. */
import { EvaluationError } from '../evaluation-error.ts';
import { escapedPattern, likeMatcher, parseLikePattern } from '../patterns/like-pattern.ts';
import { characterCount, characterSize, placeBefore, placeOfCharacter } from '../values/characters.ts';
import type { TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import type { Value } from '../values/values.ts';
import { trimEnd } from '../values/white-space.ts';
import type { Cases } from './cases.ts';
import { call, infix, strict, type Operation, type Overload, type Overloads, type Reader } from './operation.ts';

/** What is made of several texts: far less than Postgres, for whom one value can be 1 GB. */
const CHARACTERS_MAX = 64 * 1024 * 1024;
/** How much is reversed at once. */
const REVERSED_CHARACTERS_MAX = 65_536;
/** How many matchers of patterns that a row gives are kept. */
const PATTERNS_MAX = 100;

/** Nothing is copied before somebody reads it. */
export const CONCATENATION: Operation = {
  ...infix('||', (left, right) => joined([String(left), String(right)])),
  compile: ([readLeft, readRight]) => (text) => {
    const [left = null, right = null] = [readLeft?.(text), readRight?.(text)];
    return left === null || right === null ? null : joined([String(left), String(right)]);
  },
};

export const TEXT_FUNCTIONS: Overloads = {
  ...Object.fromEntries(['length', 'char_length', 'character_length'].map((name) => [name, [
    { takes: ['text'], gives: 'int4', operation: call(name, (text) => characterCount(String(text))) },
    { takes: ['bpchar'], gives: 'int4', operation: call(name, (text) => characterCount(trimEnd(String(text), ' '))) },
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
  left: [{ takes: ['text', 'int4'], gives: 'text', operation: call('left', (text, count) => leftOf(String(text), Number(count))) }],
  right: [{ takes: ['text', 'int4'], gives: 'text', operation: call('right', (text, count) => rightOf(String(text), Number(count))) }],
  replace: [{
    takes: ['text', 'text', 'text'], gives: 'text',
    operation: call('replace', (text, from, to) => replaced(String(text), String(from), String(to))),
  }],
  starts_with: [{
    takes: ['text', 'text'], gives: 'bool',
    operation: call('starts_with', (text, start) => String(text).startsWith(String(start))),
  }],
  // `position(part IN text)`: a word of the grammar, as a function it is called in quotes.
  ...Object.fromEntries([['strpos', 'strpos'], ['position', '"position"']].map(([name = '', sql = '']) => [name, [
    { takes: ['text', 'text'], gives: 'int4', operation: call(sql, (text, part) => placeOf(String(text), String(part))) },
  ]])),
  reverse: [{ takes: ['text'], gives: 'text', operation: call('reverse', (text) => reversed(String(text))) }],
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
    compile: (readers) => (text) => joined(readers.map((read, at) => {
      const value = read(text);
      return value === null ? '' : (prints[at] ?? String)(value);
    })),
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

function trims(name: string, run: (text: string, characters: ReadonlySet<string>) => string): Overloads {
  const trimmed = (text: Value, characters: Value): string => run(String(text), new Set(String(characters)));
  return {
    [name]: [
      { takes: ['text'], gives: 'text', operation: call(name, (text) => trimmed(text, ' ')) },
      { takes: ['text', 'text'], gives: 'text', operation: call(name, trimmed) },
    ],
  };
}

function trimStartOf(text: string, characters: ReadonlySet<string>): string {
  let start = 0;
  for (let next = 0; start < text.length; start = next) {
    next = start + characterSize(text, start);
    if (!characters.has(text.slice(start, next))) break;
  }
  return text.slice(start);
}

function trimEndOf(text: string, characters: ReadonlySet<string>): string {
  let end = text.length;
  for (let before = 0; end > 0; end = before) {
    before = placeBefore(text, end);
    if (!characters.has(text.slice(before, end))) break;
  }
  return text.slice(0, end);
}

/** Counted from 1; what lies before the first is nothing, but counts. */
function substring(text: string, from: number, length = Infinity): string {
  if (length < 0) throw new EvaluationError('22011', 'negative substring length not allowed');
  const rest = text.slice(placeOfCharacter(text, from - 1));
  return rest.slice(0, placeOfCharacter(rest, from < 1 ? from - 1 + length : length));
}

/** Less than none leaves so many away at the other end. */
function leftOf(text: string, count: number): string {
  return text.slice(0, placeOfCharacter(text, count >= 0 ? count : characterCount(text) + count));
}

function rightOf(text: string, count: number): string {
  return text.slice(placeOfCharacter(text, count >= 0 ? characterCount(text) - count : -count));
}

function reversed(text: string): string {
  const pieces: string[] = [];
  for (let end = text.length, start = end; end > 0; end = start) {
    start = Math.max(0, end - REVERSED_CHARACTERS_MAX);
    if (start > 0) start = placeBefore(text, start + 1);
    pieces.push([...text.slice(start, end)].reverse().join(''));
  }
  return pieces.join('');
}

function joined(texts: readonly string[]): string {
  if (texts.reduce((sum, { length }) => sum + length, 0) > CHARACTERS_MAX) throw tooLong();
  return texts.reduce((all, text) => all + text, ''); // Is copied once, when all of it is read.
}

function replaced(text: string, from: string, to: string): string {
  if (from === '') return text;
  const parts = text.split(from);
  if (text.length + (parts.length - 1) * to.length > CHARACTERS_MAX) throw tooLong();
  return parts.join(to);
}

function placeOf(text: string, part: string): number {
  const at = text.indexOf(part);
  return at < 0 ? 0 : characterCount(text.slice(0, at)) + 1;
}

function tooLong(): EvaluationError {
  return new EvaluationError('54000', 'text is too long');
}
