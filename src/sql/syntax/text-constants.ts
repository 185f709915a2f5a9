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
 * White space, words, quoted names, parameters, numbers, strings, operators, and signs that stand for themselves. All of it is ASCII, so
 * that places in the parse tree, which are bytes, are characters. A number or a parameter that runs on into something is none.
 */
const TOKEN = new RegExp([
  '([ \\t\\n\\r]+)', '([A-Za-z_][A-Za-z0-9_$]*|"[ -!#-~]*"|\\$[0-9]+(?![\\w$.\'"]))', '([0-9]+)(?![\\w$.\'"])', "'([ -&(-~]*)'",
  '([~!@#^&|`?+\\-*/%<>=]+|[,()[\\].;:])',
].join('|'), 'y');
/** Zero and what begins with it are left where they are: the tree has these in another form. */
const PLAIN_NUMBER = /^[1-9][0-9]{0,17}$/;
const COMMENT = /--|\/\*/;

type TokenKind = 'space' | 'word' | 'number' | 'string' | 'sign';

/** @returns undefined where it is not certain what the constants are. */
export function partsOf(text: string): TextParts | undefined {
  if (text.length > TEXT_CHARACTERS_MAX) return undefined;
  const constants: TextConstant[] = [];
  let [template, isBehindString] = ['', false];
  let last: TokenKind = 'space';
  TOKEN.lastIndex = 0;
  for (let start = 0; start < text.length; start = TOKEN.lastIndex) {
    const found = TOKEN.exec(text);
    if (found === null) return undefined;
    const [token, , , number, string] = found;
    const kind = kindOf(found);
    if (!mayFollow(kind, last, isBehindString, template)) return undefined;
    const constant = constantIn(number, string);
    if (constant !== undefined) constants.push({ ...constant, start, length: token.length });
    template += constant === undefined ? token : MARKS[constant.kind];
    if (kind === 'sign' && COMMENT.test(token)) return undefined;
    if (kind !== 'space') isBehindString = kind === 'string';
    last = kind;
  }
  return { template, constants };
}

function kindOf([, space, word, number, string]: RegExpExecArray): TokenKind {
  if (space !== undefined) return 'space';
  if (word !== undefined) return 'word';
  if (number !== undefined) return 'number';
  return string === undefined ? 'sign' : 'string';
}

/**
 * A letter before a string says how it is to be read, and `U&` does; a string goes on behind a line's end; `.5` is a number.
 *
 * @param isBehindString with nothing but white space between.
 */
function mayFollow(kind: TokenKind, last: TokenKind, isBehindString: boolean, before: string): boolean {
  if (kind === 'string') return !isBehindString && (last === 'space' || (last === 'sign' && !before.endsWith('&')));
  return kind !== 'number' || last === 'space' || (last === 'sign' && !before.endsWith('.'));
}

function constantIn(number: string | undefined, string: string | undefined): Pick<TextConstant, 'kind' | 'value'> | undefined {
  if (string !== undefined) return string === '' ? undefined : { kind: 'string', value: string };
  if (number === undefined || !PLAIN_NUMBER.test(number)) return undefined;
  return { kind: Number(number) <= INTEGER_MAX ? 'integer' : 'long', value: number };
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
