/**
 * A request's parameters from its query: `params[1]=x` nests, `a[]=x` makes a list, a name given twice means its last
 * value.
 *
 * A stranger writes the query, so its number of parameters and their depth are known to be bounded before any of them
 * is placed; what is placed costs no more than its length.
 */
import type { RawParameters } from '../api/shape-parameters.ts';
import { invalidRequest, type Refusal } from '../api/refusal.ts';

/** A filter of the greatest size can name some 11,000 parameters. */
const PARAMETERS_MAX = 12_000;
/** The protocol nests one level: `params[1]`. */
const LEVELS_MAX = 5;

/** Records without a prototype: a parameter may have any name. */
type Nested = Record<string, unknown>;
type NameParts = readonly [string, ...string[]];

export interface TakenQuery {
  readonly parameters: RawParameters;
}

export function queryParameters(query: URLSearchParams): TakenQuery | Refusal {
  if (query.size > PARAMETERS_MAX) return invalidRequest({ query: [`has more than ${PARAMETERS_MAX} parameters`] });
  const named = [...query].map(([name, value]) => ({ parts: partsOf(name), value }));
  const deep = named.find(({ parts }) => parts.length > LEVELS_MAX + 1);
  if (deep !== undefined) return invalidRequest({ [deep.parts[0]]: [`nests deeper than ${LEVELS_MAX} levels`] });
  const parameters = record();
  for (const { parts, value } of named) place(parameters, parts, value);
  return { parameters };
}

/** Splits `a[b][c]` into `a`, `b` and `c`, one part beyond the greatest depth at most. A name of another form is one part. */
function partsOf(name: string): NameParts {
  const start = name.indexOf('[');
  if (start <= 0 || !name.endsWith(']')) return [name];
  const base = name.slice(0, start);
  const keys = name.slice(start + 1, -1).split('][', LEVELS_MAX + 1);
  return [base, ...keys].some((part) => /[[\]]/.test(part)) ? [name] : [base, ...keys];
}

function place(into: Nested, [first, ...rest]: NameParts, value: string): void {
  let [nested, key] = [into, first];
  for (const next of rest) {
    if (next === '') return append(nested, key, value); // Nothing nests in a list.
    nested = nestedAt(nested, key);
    key = next;
  }
  nested[key] = value;
}

function append(into: Nested, key: string, value: string): void {
  const list = into[key];
  if (Array.isArray(list)) list.push(value);
  else into[key] = [value];
}

function nestedAt(into: Nested, key: string): Nested {
  const known = into[key];
  if (isNested(known)) return known;
  const nested = record();
  into[key] = nested;
  return nested;
}

function isNested(value: unknown): value is Nested {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function record(): Nested {
  return Object.create(null);
}
