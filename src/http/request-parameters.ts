/**
 * A request's parameters from its query and its body. In a query `params[1]=x` nests; a name given twice means its
 * last value. A body's own keys win over the query's.
 */
import type { RawParameters } from '../api/shape-parameters.ts';

/** Records without a prototype: a parameter may have any name. */
type Nested = Record<string, unknown>;

const NAME = /^([^[\]]+)((?:\[[^[\]]*\])*)$/;
/** At the top of a body these speak of the subset; anywhere else of the shape. */
const SUBSET_KEYS = ['where', 'order_by', 'limit', 'offset', 'params', 'where_expr', 'order_by_expr'];

export function queryParameters(query: string): RawParameters {
  const parameters = record();
  for (const [name, value] of new URLSearchParams(query)) {
    const [, base = name, brackets = ''] = NAME.exec(name) ?? [];
    place(parameters, [base, ...keysIn(brackets)], value);
  }
  return parameters;
}

/** @param body a JSON object. */
export function mergedParameters(query: RawParameters, body: Readonly<Record<string, unknown>>): RawParameters {
  if (isRecord(body['subset'])) return { ...query, ...body };
  const entries = Object.entries(body);
  const subset = entries.filter(([name]) => SUBSET_KEYS.includes(name));
  const main = Object.fromEntries(entries.filter(([name]) => !SUBSET_KEYS.includes(name)));
  return { ...query, ...main, ...(subset.length > 0 ? { subset: Object.fromEntries(subset) } : {}) };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keysIn(brackets: string): readonly string[] {
  return [...brackets.matchAll(/\[([^[\]]*)\]/g)].map(([, key = '']) => key);
}

function place(into: Nested, [key = '', ...rest]: readonly string[], value: string): void {
  const [next] = rest;
  if (next === undefined) {
    into[key] = value;
  } else if (next === '') {
    const list = into[key];
    into[key] = [...(Array.isArray(list) ? list : []), value];
  } else {
    const inner = into[key];
    const nested = isNested(inner) ? inner : record();
    into[key] = nested;
    place(nested, rest, value);
  }
}

function isNested(value: unknown): value is Nested {
  return isRecord(value);
}

function record(): Nested {
  return Object.create(null);
}
