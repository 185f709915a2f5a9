/**
 * SubsetParameters: what a request says of the part of a shape that it wants, cast to its types. In a query each name begins with
 * `subset__`; in a body they stand in an object of their own, which wins.
 *
 * The structured forms say again what the texts say, for proxies that want to read no SQL. They are not read here, but one without its
 * text would ask for everything, so it is refused.
 */
import * as z from 'zod';
import { parsedJson } from '../json-text.ts';
import { invalidRequest, invalidSubset, isRefusal, type Refusal, type SubsetErrors } from '../refusal.ts';
import { text, type RawParameters } from '../shape-parameters.ts';

export interface SubsetParameters {
  readonly where: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly limit: number | undefined;
  readonly offset: number | undefined;
  readonly orderBy: string | undefined;
}

const PREFIX = 'subset__';
const INVALID = 'is invalid';
const ORDER_MISSING = 'order_by is required when limit or offset is present';
/** As for a shape's own. */
const CHARACTERS_MAX = 262_144;

const integer = z
  .union([z.number(), z.string().regex(/^[+-]?\d{1,16}$/).transform(Number)], INVALID)
  .refine(Number.isSafeInteger, INVALID);
const optionalText = text.optional();

/** In a query it is the text of a JSON object, or nests. */
const params = z
  .unknown()
  .transform((value, context) => {
    const object = typeof value === 'string' ? parsedJson(value) : value;
    const problem = problemIn(object);
    if (problem === undefined) return Object.fromEntries(Object.entries(object ?? {}).map(([key, item]) => [key, String(item)]));
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  })
  .optional();

const structured = z
  .unknown()
  .transform((value) => (typeof value === 'string' ? parsedJson(value) : value))
  .refine((value) => typeof value === 'object' && value !== null, INVALID)
  .optional();

const fields = z.object({
  where: optionalText,
  order_by: optionalText,
  limit: integer.refine((value) => value > 0, 'must be greater than 0').optional(),
  offset: integer.refine((value) => value >= 0, 'must be greater than or equal to 0').optional(),
  params,
  where_expr: structured,
  order_by_expr: structured,
});

/** True when any parameter asks for a subset, known or not, empty or not. */
export function asksForSubset(raw: RawParameters): boolean {
  return Object.keys(raw).some((name) => name === 'subset' || name.startsWith(PREFIX));
}

export function subsetParameters(raw: RawParameters): SubsetParameters | Refusal {
  const named = namedIn(raw);
  if (isRefusal(named)) return named;
  const cast = fields.safeParse(named);
  if (!cast.success) return invalidSubset(errorsIn(cast.error.issues));
  const { where, order_by: orderBy, limit, offset, params: given = {}, where_expr: whereExpr, order_by_expr: orderByExpr } = cast.data;
  if (whereExpr !== undefined && where === undefined) return invalidSubset({ where_expr: ['can only stand beside where'] });
  if (orderByExpr !== undefined && orderBy === undefined) return invalidSubset({ order_by_expr: ['can only stand beside order_by'] });
  if (orderBy === undefined && (limit ?? offset) !== undefined) return invalidSubset({ order_by: [ORDER_MISSING] });
  return { where, params: given, limit, offset, orderBy };
}

function namedIn(raw: RawParameters): RawParameters | Refusal {
  const { subset = {} } = raw;
  if (!isObject(subset)) return invalidRequest({ subset: [INVALID] });
  const inQuery = Object.entries(raw).flatMap(([name, value]) => (name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), value]] : []));
  const isBlank = (value: unknown): boolean => value === null || (typeof value === 'string' && value.trim() === '');
  return Object.fromEntries(Object.entries({ ...Object.fromEntries(inQuery), ...subset }).filter(([, value]) => !isBlank(value)));
}

/** @param given undefined for what is no JSON. */
function problemIn(given: unknown): string | undefined {
  if (given === undefined) return 'params must be valid JSON';
  if (!isObject(given)) return 'params must be a JSON object';
  const values: unknown[] = Object.values(given);
  if (!values.every((value) => ['string', 'number', 'boolean'].includes(typeof value))) {
    return 'params must have texts, numbers or booleans as values';
  }
  const texts = values.map(String);
  if (texts.some((value) => value.includes('\0'))) return INVALID;
  return texts.reduce((size, value) => size + value.length, 0) > CHARACTERS_MAX ? `is longer than ${CHARACTERS_MAX} characters` : undefined;
}

function errorsIn(issues: readonly z.core.$ZodIssue[]): SubsetErrors {
  const errors: Record<string, readonly string[]> = {};
  for (const { path, code, message } of issues) {
    errors[String(path[0])] ??= [code === 'custom' && message !== 'Invalid input' ? message : INVALID];
  }
  return errors;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
