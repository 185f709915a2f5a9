/**
 * TextConstants: the constants of a filter, taken out of its text without the parser, where that is certain.
 *
 * Postgres's scanner reads strings in many ways: with escapes, in other alphabets, over several lines, between dollars; and numbers in
 * many more. Of these only the plain ones are known here. A text in which anything else could stand has no answer, and goes to the parser.
 */

export interface TextConstant {
  /** An `integer` has the parser's own type for small numbers; a `long` one does not. */
  readonly kind: 'integer' | 'long' | 'string';
  /** As the parse tree has it. */
  readonly value: string;
  /** Where it begins, and how many characters it has there: with the quotes of a string. */
  readonly start: number;
  readonly length: number;
}

export interface TextParts {
  /** What stands around the constants. Texts that have the same differ in the values of their constants alone. */
  readonly template: string;
  readonly constants: readonly TextConstant[];
}

/** Stand where a constant was; no text that has an answer holds one of these. */
const MARKS = { integer: '\u0001', long: '\u0002', string: '\u0003' } as const;

/** What is longer is measured before it is parsed. */
export const TEXT_CHARACTERS_MAX = 900;
const INTEGER_MAX = 2_147_483_647;

/**
 * What a token may begin with, by the code of the character: all of it is ASCII, so that places in the parse tree, which are bytes, are
 * characters. Signs that stand for themselves are marks; others make operators together.
 */
const [OTHER, SPACE, LETTER, DIGIT, DOLLAR, QUOTE, DOUBLE_QUOTE, OPERATOR, MARK] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const CLASSES = Uint8Array.from({ length: 128 }, (_, code) => classOf(String.fromCharCode(code)));

function classOf(sign: string): number {
  if (/[ \t\n\r]/.test(sign)) return SPACE;
  if (/[A-Za-z_]/.test(sign)) return LETTER;
  if (/[0-9]/.test(sign)) return DIGIT;
  if (/[~!@#^&|`?+\-*/%<>=]/.test(sign)) return OPERATOR;
  if (/[,()[\].;:]/.test(sign)) return MARK;
  return sign === '$' ? DOLLAR : sign === "'" ? QUOTE : sign === '"' ? DOUBLE_QUOTE : OTHER;
}

/** Zero and what begins with it are left where they are: the tree has these in another form. */
const PLAIN_NUMBER = /^[1-9][0-9]{0,17}$/;
const COMMENT = /--|\/\*/;
const [FIRST_PRINTED, LAST_PRINTED] = [0x20, 0x7e];

/** @returns undefined where it is not certain what the constants are. */
export function partsOf(text: string): TextParts | undefined {
  if (text.length > TEXT_CHARACTERS_MAX) return undefined;
  const constants: TextConstant[] = [];
  let template = '';
  let copied = 0;
  let isBehindString = false;
  let last = SPACE;
  for (let start = 0, end = 0; start < text.length; start = end) {
    const kind = classAt(text, start);
    end = endOfToken(text, start, kind);
    if (end === -1 || !mayFollow(kind, last, isBehindString, text.charAt(start - 1))) return undefined;
    if (kind === OPERATOR && end > start + 1 && COMMENT.test(text.slice(start, end))) return undefined;
    const constant = constantIn(text, start, end, kind);
    if (constant !== undefined) {
      constants.push({ ...constant, start, length: end - start });
      template += text.slice(copied, start) + MARKS[constant.kind];
      copied = end;
    }
    if (kind !== SPACE) isBehindString = kind === QUOTE;
    last = kind;
  }
  return { template: template + text.slice(copied), constants };
}

function classAt(text: string, place: number): number {
  return place < text.length ? CLASSES[text.charCodeAt(place)] ?? OTHER : OTHER;
}

/** @returns -1 where it is none, or may be another than it looks. */
function endOfToken(text: string, start: number, kind: number): number {
  switch (kind) {
    case SPACE:
    case OPERATOR:
      return endOfRun(text, start + 1, kind);
    case LETTER:
      return endOfWord(text, start + 1);
    case DIGIT:
      return unlessItRunsOn(text, endOfRun(text, start + 1, DIGIT));
    case DOLLAR: {
      const end = endOfRun(text, start + 1, DIGIT);
      return end === start + 1 ? -1 : unlessItRunsOn(text, end);
    }
    case QUOTE:
    case DOUBLE_QUOTE:
      return endOfQuoted(text, start + 1, kind);
    case MARK:
      return start + 1;
    default:
      return -1;
  }
}

function endOfRun(text: string, from: number, kind: number): number {
  let end = from;
  while (classAt(text, end) === kind) end += 1;
  return end;
}

function endOfWord(text: string, from: number): number {
  let end = from;
  for (let kind = classAt(text, end); kind === LETTER || kind === DIGIT || kind === DOLLAR; kind = classAt(text, end)) end += 1;
  return end;
}

/** A number or a parameter that runs on into something is none. */
function unlessItRunsOn(text: string, end: number): number {
  const next = classAt(text, end);
  const runsOn = next === LETTER || next === DOLLAR || next === QUOTE || next === DOUBLE_QUOTE || text.charAt(end) === '.';
  return runsOn ? -1 : end;
}

function endOfQuoted(text: string, from: number, quote: number): number {
  for (let end = from; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code < FIRST_PRINTED || code > LAST_PRINTED) return -1;
    if (CLASSES[code] === quote) return end + 1;
  }
  return -1;
}

/**
 * A letter before a string says how it is to be read, and `U&` does; a string goes on behind a line's end; `.5` is a number.
 *
 * @param isBehindString with nothing but white space between. @param before the character.
 */
function mayFollow(kind: number, last: number, isBehindString: boolean, before: string): boolean {
  const isApart = last === SPACE || last === OPERATOR || last === MARK;
  if (kind === QUOTE) return !isBehindString && isApart && before !== '&';
  return kind !== DIGIT || (isApart && before !== '.');
}

function constantIn(text: string, start: number, end: number, kind: number): Pick<TextConstant, 'kind' | 'value'> | undefined {
  if (kind === QUOTE) return end - start === 2 ? undefined : { kind: 'string', value: text.slice(start + 1, end - 1) };
  if (kind !== DIGIT) return undefined;
  const value = text.slice(start, end);
  if (!PLAIN_NUMBER.test(value)) return undefined;
  return { kind: Number(value) <= INTEGER_MAX ? 'integer' : 'long', value };
}

/** A text with this template, whose constants are `values` as they are written. */
export function textWith(template: string, values: Readonly<Record<TextConstant['kind'], string>>): string {
  return template
    .replaceAll(MARKS.integer, values.integer).replaceAll(MARKS.long, values.long).replaceAll(MARKS.string, values.string);
}

/** Likewise, each of them by itself. @param written by its kind, and its number. */
export function textOf(template: string, written: (kind: TextConstant['kind'], number: number) => string): string {
  let number = 0;
  return Array.from(template, (sign) => {
    const kind = KINDS.get(sign);
    if (kind === undefined) return sign;
    number += 1;
    return written(kind, number - 1);
  }).join('');
}

const KINDS: ReadonlyMap<string, TextConstant['kind']> = new Map([
  [MARKS.integer, 'integer'], [MARKS.long, 'long'], [MARKS.string, 'string'],
]);
