/**
 * RegularExpression: what `~` matches with, for patterns of which nothing depends on a locale or on an engine: characters, `.`, sets in
 * brackets with ranges of ASCII, anchors, groups, alternatives and quantifiers; whether these take as much or as little as they can makes
 * no match more. All ways through a pattern are followed side by side, so that a text costs its length times the pattern's, whatever the
 * pattern. Classes (`\d`, `[[:alpha:]]`) depend on the locale, and are those of ASCII, which "C" has.
 *
 * Characters are code points. `.` takes the end of a line too, and the anchors hold at the ends of the text only, as in Postgres.
 */
import { characterSize } from '../values/characters.ts';
import { spend } from '../work.ts';

type Part =
  | { readonly kind: 'set'; readonly has: CharacterTest }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly min: number; readonly max: number };

type CharacterTest = (character: string) => boolean;

type Step =
  | { readonly kind: 'set'; readonly has: CharacterTest }
  | { readonly kind: 'start' | 'end' | 'match' }
  | { readonly kind: 'fork'; readonly to: readonly number[] };

const ASCII_CHARACTERS = Array.from({ length: 128 }, (_, code) => String.fromCodePoint(code));
/** As often as Postgres lets a quantifier repeat. */
const REPEATS_MAX = 255;
const STEPS_MAX = 1000;
const TOO_LONG = 'a text and its regular expression are too long';
const DEPTH_MAX = 100;
const PLAIN = /[^\\^$.[\](){}|*+?]/u;
const ESCAPED = /[\\^$.[\](){}|*+?\-/]/;
/** Within brackets no sign of POSIX's (`[:`, `[.`, `[=`) is read, nor an escape. */
const SET_CHARACTER = /[^\\[\]\-^]/u;
const RANGES = [/^[a-z]-[a-z]$/, /^[A-Z]-[A-Z]$/, /^[0-9]-[0-9]$/];
const QUANTIFIER = /^(?:([*+?])|\{(\d{1,3})(,?)(\d{1,3})?\})\??(?![*+?{])/;
const CLASSES: Readonly<Record<string, RegExp>> = {
  digit: /[0-9]/, alpha: /[A-Za-z]/, alnum: /[0-9A-Za-z]/, upper: /[A-Z]/, lower: /[a-z]/, xdigit: /[0-9A-Fa-f]/, blank: /[ \t]/,
  space: /[ \t\n\v\f\r]/, word: /[0-9A-Za-z_]/,
};
const CLASS_LETTERS: Readonly<Record<string, string>> = { d: 'digit', s: 'space', w: 'word' };
/** As it stands in brackets. */
const CLASS = /^\[:([a-z]{5,6}):\]/;
const ASCII = /^[\0-\x7f]*$/;

/**
 * @param ignoreCase of the letters of ASCII: a pattern with others is not read then.
 * @param hasClasses for a text under "C".
 * @returns a test of texts; undefined for a pattern that is not read.
 */
export function regularExpression(pattern: string, ignoreCase: boolean, hasClasses = false): ((text: string) => boolean) | undefined {
  if (ignoreCase && !ASCII.test(pattern)) return undefined;
  const reader = new PatternReader(pattern, ignoreCase, hasClasses);
  const part = reader.choice(0);
  if (part === undefined || !reader.isAtEnd()) return undefined;
  const steps = stepsOf(part);
  return steps === undefined ? undefined : (text) => matches(steps, text);
}

/** Undefined wherever something is not read. */
class PatternReader {
  private readonly characters: readonly string[];
  private readonly ignoreCase: boolean;
  private readonly hasClasses: boolean;
  private at = 0;

  constructor(pattern: string, ignoreCase: boolean, hasClasses: boolean) {
    this.characters = [...pattern];
    this.ignoreCase = ignoreCase;
    this.hasClasses = hasClasses;
  }

  isAtEnd(): boolean {
    return this.at === this.characters.length;
  }

  choice(depth: number): Part | undefined {
    const parts: Part[] = [];
    do {
      const part = this.sequence(depth);
      if (part === undefined) return undefined;
      parts.push(part);
    } while (this.takes('|'));
    return parts.length === 1 ? parts[0] : { kind: 'choice', parts };
  }

  private sequence(depth: number): Part | undefined {
    const parts: Part[] = [];
    while (!this.isAtEnd() && this.next() !== '|' && this.next() !== ')') {
      const part = this.quantified(depth);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return parts.length === 0 ? undefined : { kind: 'sequence', parts };
  }

  private quantified(depth: number): Part | undefined {
    if (this.takes('^')) return this.bare({ kind: 'start' });
    if (this.takes('$')) return this.bare({ kind: 'end' });
    const part = this.atom(depth);
    const match = QUANTIFIER.exec(this.characters.slice(this.at, this.at + 12).join(''));
    if (part === undefined || match === null) return part;
    this.at += match[0].length;
    const [, sign, least, comma, most] = match;
    const min = sign === undefined ? Number(least) : sign === '+' ? 1 : 0;
    const open = sign === undefined ? comma === ',' : sign !== '?';
    const max = most !== undefined ? Number(most) : open ? Infinity : Math.max(min, sign === '?' ? 1 : 0);
    const isKnown = min <= REPEATS_MAX && (max <= REPEATS_MAX || max === Infinity) && min <= max && (most === undefined || comma === ',');
    return isKnown ? { kind: 'repeat', part, min, max } : undefined;
  }

  /** An anchor has no quantifier. */
  private bare(anchor: Part): Part | undefined {
    return /[*+?{]/.test(this.next()) ? undefined : anchor;
  }

  private atom(depth: number): Part | undefined {
    if (this.takes('(')) return this.group(depth);
    if (this.takes('[')) return this.set();
    if (this.takes('.')) return { kind: 'set', has: () => true };
    const isEscaped = this.takes('\\');
    const character = this.next();
    const ofClass = isEscaped ? this.classOf(CLASS_LETTERS[character.toLowerCase()]) : undefined;
    if (ofClass !== undefined) {
      this.at += 1;
      return this.oneOf(ofClass, character !== character.toLowerCase());
    }
    if (!(isEscaped ? ESCAPED : PLAIN).test(character)) return undefined;
    this.at += 1;
    return this.oneOf(new Set([character]));
  }

  private group(depth: number): Part | undefined {
    if (depth >= DEPTH_MAX) return undefined;
    if (this.takes('?') && !this.takes(':')) return undefined;
    const part = this.choice(depth + 1);
    return this.takes(')') ? part : undefined;
  }

  private set(): Part | undefined {
    const isNegated = this.takes('^');
    const listed = new Set<string>();
    while (!this.takes(']')) {
      const ofClass = this.bracketClass();
      if (ofClass !== undefined) {
        for (const each of ofClass) listed.add(each);
        continue;
      }
      const [first = '', sign, last = ''] = this.characters.slice(this.at, this.at + 3);
      if (!SET_CHARACTER.test(first)) return undefined;
      const isRange = sign === '-';
      if (isRange && !RANGES.some((range) => range.test(`${first}-${last}`) && first <= last)) return undefined;
      const [from, to] = [first.codePointAt(0) ?? 0, (isRange ? last : first).codePointAt(0) ?? 0];
      for (let code = from; code <= to; code += 1) listed.add(String.fromCodePoint(code));
      this.at += isRange ? 3 : 1;
    }
    return listed.size === 0 ? undefined : this.oneOf(listed, isNegated);
  }

  /** `[:alpha:]`, or `\d`, between brackets. */
  private bracketClass(): ReadonlySet<string> | undefined {
    const ahead = this.characters.slice(this.at, this.at + 10).join('');
    const [written, name] = CLASS.exec(ahead) ?? /^\\[dsw]/.exec(ahead) ?? [''];
    const characters = this.classOf(name ?? CLASS_LETTERS[written.slice(1)]);
    if (characters !== undefined) this.at += written.length;
    return characters;
  }

  private classOf(name: string | undefined): ReadonlySet<string> | undefined {
    const has = this.hasClasses && name !== undefined ? CLASSES[name] : undefined;
    return has && new Set(ASCII_CHARACTERS.filter((character) => has.test(character)));
  }

  private oneOf(characters: ReadonlySet<string>, isNegated = false): Part {
    const listed = new Set(this.ignoreCase ? [...characters].flatMap((each) => [each.toLowerCase(), each.toUpperCase()]) : characters);
    return { kind: 'set', has: (character) => listed.has(character) !== isNegated };
  }

  private next(): string {
    return this.characters[this.at] ?? '';
  }

  private takes(character: string): boolean {
    const isNext = this.next() === character;
    if (isNext) this.at += 1;
    return isNext;
  }
}

/** Undefined for a pattern that has too many. */
function stepsOf(part: Part): readonly Step[] | undefined {
  const steps: Step[] = [];
  return append(steps, part) ? [...steps, { kind: 'match' }] : undefined;
}

/** @returns false as soon as there are too many. */
function append(steps: Step[], part: Part): boolean {
  if (steps.length >= STEPS_MAX) return false;
  switch (part.kind) {
    case 'sequence':
      return part.parts.every((each) => append(steps, each));
    case 'choice':
      return appendChoice(steps, part.parts);
    case 'repeat':
      return appendRepeat(steps, part);
    default:
      return steps.push(part) > 0;
  }
}

function appendChoice(steps: Step[], parts: readonly Part[]): boolean {
  const to: number[] = [];
  const end: number[] = [];
  steps.push({ kind: 'fork', to });
  const fits = parts.every((part) => {
    to.push(steps.length);
    const isAppended = append(steps, part);
    steps.push({ kind: 'fork', to: end });
    return isAppended;
  });
  end.push(steps.length);
  return fits;
}

function appendRepeat(steps: Step[], { part, min, max }: Extract<Part, { kind: 'repeat' }>): boolean {
  for (let count = 0; count < min; count += 1) {
    if (!append(steps, part)) return false;
  }
  if (max === Infinity) {
    const again: number[] = [];
    const fork = steps.push({ kind: 'fork', to: again }) - 1;
    const isAppended = append(steps, part);
    steps.push({ kind: 'fork', to: [fork] });
    again.push(fork + 1, steps.length);
    return isAppended;
  }
  return appendOptional(steps, part, max - min);
}

/** Each of them may be the last. */
function appendOptional(steps: Step[], part: Part, count: number): boolean {
  const end: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const go = steps.length + 2;
    steps.push({ kind: 'fork', to: [steps.length + 1, go] }, { kind: 'fork', to: end });
    if (!append(steps, part)) return false;
  }
  end.push(steps.length);
  return true;
}

/**
 * Whether the steps lead to a match from anywhere in the text.
 *
 * @throws {EvaluationError} when it takes too long.
 */
function matches(steps: readonly Step[], text: string): boolean {
  const reachedAt = new Int32Array(steps.length).fill(-1); // The last place in the text at which a step was reached.
  let open: number[] = [0];
  for (let at = 0, next = 0; ; at = next) {
    next = at + characterSize(text, at);
    const isEnd = at >= text.length;
    const character = text.slice(at, next);
    const following: number[] = [0];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const step = steps[place];
      if (step === undefined || reachedAt[place] === at) continue;
      reachedAt[place] = at;
      spend(1, TOO_LONG);
      if (step.kind === 'match') return true;
      if (step.kind === 'fork') for (const to of step.to) open.push(to);
      if (step.kind === 'set' && !isEnd && step.has(character)) following.push(place + 1);
      if ((step.kind === 'start' && at === 0) || (step.kind === 'end' && isEnd)) open.push(place + 1);
    }
    if (isEnd) return false;
    open = following;
  }
}
