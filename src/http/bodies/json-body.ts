/**
 * A request's JSON object, and how its keys join those of the query.
 *
 * Eight megabytes of brackets are a million objects, and to make them stops the whole service for a second. So the
 * text is measured before it is parsed, which costs as much as reading it once.
 */
import type { RawParameters } from '../../api/shape-parameters.ts';
import { bodyRefusal, type BodyRefusal } from './body-refusal.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const LEVELS_MAX = 32;
/** Values, keys not counted: more than Postgres takes parameters. */
const VALUES_MAX = 100_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** At the top level of a body these name the subset's parameters; in the query they name the shape's. */
const SUBSET_KEYS = ['where', 'order_by', 'limit', 'offset', 'params', 'where_expr', 'order_by_expr'];

/** An empty body is an empty object. */
export function parseJsonObject(bytes: Buffer): { readonly json: JsonObject } | BodyRefusal {
  if (bytes.length === 0) return { json: {} };
  const excess = excessOf(bytes);
  if (excess !== undefined) return bodyRefusal(400, { error: `Request body ${excess}` });
  const parsed = parseJson(bytes.toString('utf8'));
  if (!('value' in parsed)) return parsed;
  return isJsonObject(parsed.value) ? { json: parsed.value } : bodyRefusal(400, { error: 'Request body must be a JSON object' });
}

/** A body's own keys win over the query's. */
export function mergedParameters(query: RawParameters, body: JsonObject): RawParameters {
  if (isJsonObject(body['subset'])) return { ...query, ...body };
  const entries = Object.entries(body);
  const subset = entries.filter(([name]) => SUBSET_KEYS.includes(name));
  const main = Object.fromEntries(entries.filter(([name]) => !SUBSET_KEYS.includes(name)));
  return { ...query, ...main, ...(subset.length > 0 ? { subset: Object.fromEntries(subset) } : {}) };
}

/** What there is too much of; undefined for a text that may be parsed. */
function excessOf(bytes: Buffer): string | undefined {
  let [level, values] = [0, 0];
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      at = stringEnd(bytes, at);
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      level += 1;
      values += 1;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      level -= 1;
    } else if (byte === COMMA) {
      values += 1;
    }
    if (level > LEVELS_MAX) return `nests deeper than ${LEVELS_MAX} levels`;
    if (values > VALUES_MAX) return `has more than ${VALUES_MAX} values`;
  }
  return undefined;
}

/** Where the string that begins at `start` ends: at its closing quote, or with the text. */
function stringEnd(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}

function parseJson(text: string): { readonly value: unknown } | BodyRefusal {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return bodyRefusal(400, { error: 'Invalid JSON in request body', details: error.message });
  }
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
