/**
 * Json: a value of `jsonb`. Numbers are numerics, with their decimals; of equal keys the last one counts, and shorter keys stand before
 * longer ones.
 */
import { EvaluationError } from '../evaluation-error.ts';
import { canonicalNumeric, numericText, parseNumeric, type Numeric } from './numeric.ts';

export type JsonPart = null | boolean | string | Numeric | readonly JsonPart[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonPart>;

export interface Json {
  readonly json: JsonPart;
}

/** Postgres goes some thousand levels deeper. */
const DEPTH_MAX = 500;
const NUMBER = String.raw`(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)`;
const TOKEN = new RegExp(String.raw`[ \t\n\r]*(?:([[\]{},:"])|${NUMBER}|(true|false|null))`, 'y');
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };
const BACKSLASH = '\\';
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const encoder = new TextEncoder();

/**
 * @returns undefined when `text` is no jsonb.
 * @throws {EvaluationError} when it nests deeper than is read.
 */
export function parseJson(text: string): Json | undefined {
  const reader = new JsonReader(text);
  const json = reader.part(0);
  return json === undefined || !reader.isAtEnd() ? undefined : { json };
}

export function isJsonObject(part: JsonPart): part is JsonObject {
  return part instanceof Map;
}

export function isJsonArray(part: JsonPart): part is readonly JsonPart[] {
  return Array.isArray(part);
}

export function isJsonNumber(part: JsonPart): part is Numeric {
  return typeof part === 'object' && part !== null && 'scale' in part;
}

/** As Postgres writes it. */
export function jsonText(part: JsonPart): string {
  return written(part, numericText);
}

/** The same for equal values. */
export function canonicalJson(part: JsonPart): string {
  return written(part, canonicalNumeric);
}

function written(part: JsonPart, number: (numeric: Numeric) => string): string {
  if (isJsonArray(part)) return `[${part.map((item) => written(item, number)).join(', ')}]`;
  if (isJsonObject(part)) return `{${[...part].map(([key, value]) => `${JSON.stringify(key)}: ${written(value, number)}`).join(', ')}}`;
  return isJsonNumber(part) ? number(part) : JSON.stringify(part);
}

/** Undefined wherever the text is none. */
class JsonReader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  isAtEnd(): boolean {
    return /^[ \t\n\r]*$/.test(this.text.slice(this.at));
  }

  part(depth: number): JsonPart | undefined {
    if (depth > DEPTH_MAX) throw new EvaluationError('54001', `jsonb that nests deeper than ${DEPTH_MAX} levels is not supported`);
    const [sign, string, number, word] = this.token();
    if (sign === '[') return this.array(depth);
    if (sign === '{') return this.object(depth);
    if (string !== undefined) return textOf(string);
    if (number !== undefined) return parseNumeric(number);
    return word === undefined ? undefined : WORDS[word];
  }

  private array(depth: number): JsonPart | undefined {
    if (this.skips(']')) return [];
    const items: JsonPart[] = [];
    for (;;) {
      const item = this.part(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      const [sign] = this.token();
      if (sign === ']') return items;
      if (sign !== ',') return undefined;
    }
  }

  private object(depth: number): JsonPart | undefined {
    if (this.skips('}')) return new Map();
    const members = new Map<string, JsonPart>();
    for (;;) {
      const [, string] = this.token();
      const key = string === undefined ? undefined : textOf(string);
      if (key === undefined || this.token()[0] !== ':') return undefined;
      const value = this.part(depth + 1);
      if (value === undefined) return undefined;
      members.set(key, value);
      const [sign] = this.token();
      if (sign === '}') return sorted(members);
      if (sign !== ',') return undefined;
    }
  }

  /** Its sign, or the inside of a string, or a number, or a word; none where there is no token. */
  private token(): readonly (string | undefined)[] {
    TOKEN.lastIndex = this.at;
    const [whole, sign, number, word] = TOKEN.exec(this.text) ?? [];
    if (whole !== undefined) this.at = TOKEN.lastIndex;
    return sign === '"' ? [undefined, this.restOfString()] : [sign, undefined, number, word];
  }

  /** It may be of megabytes, for which a regular expression has no room. Undefined when it does not end. */
  private restOfString(): string | undefined {
    const from = this.at;
    for (let end = this.text.indexOf('"', from); end >= 0; end = this.text.indexOf('"', end + 1)) {
      let escape = end;
      while (escape > from && this.text.charAt(escape - 1) === BACKSLASH) escape -= 1;
      if ((end - escape) % 2 === 0) {
        this.at = end + 1;
        return this.text.slice(from, end);
      }
    }
    return undefined;
  }

  private skips(sign: string): boolean {
    const before = this.at;
    if (this.token()[0] === sign) return true;
    this.at = before;
    return false;
  }
}

/** Postgres's text holds no NUL, and no half of a character. */
function textOf(escaped: string): string | undefined {
  const text = unescaped(escaped);
  return text === undefined || text.includes('\0') || LONE_SURROGATE.test(text) ? undefined : text;
}

function unescaped(escaped: string): string | undefined {
  try {
    return String(JSON.parse(`"${escaped}"`));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function sorted(members: JsonObject): JsonObject {
  const keys = [...members].map(([key, value]) => ({ key, value, bytes: encoder.encode(key) }));
  keys.sort((left, right) => left.bytes.length - right.bytes.length || orderOf(left.bytes, right.bytes));
  return new Map(keys.map(({ key, value }) => [key, value]));
}

function orderOf(left: Uint8Array, right: Uint8Array): number {
  const at = left.findIndex((byte, index) => byte !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}
