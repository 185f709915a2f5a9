/**
 * ExplainParameters: which shape is asked about, by its handle or as in a read, and which row: by its key, by the values of its primary
 * key, or as it is written down in the request. Of these there is one.
 */
import * as z from 'zod';
import type { Handle } from '../../model/shape.ts';
import { parsedJson } from '../json-text.ts';
import { invalidRequest, isRefusal, type Refusal } from '../refusal.ts';
import { deleteParameters, text, type DefinitionParameters, type RawParameters } from '../shape-parameters.ts';

export interface ExplainParameters {
  readonly shape: DefinitionParameters;
  readonly handle: Handle | undefined;
  readonly row: AskedRow;
}

export type Texts = Readonly<Record<string, string | null>>;

export type AskedRow =
  | { readonly by: 'key'; readonly key: string }
  /** By column. */
  | { readonly by: 'pk'; readonly values: Texts }
  | { readonly by: 'row'; readonly values: Texts };

const INVALID = 'is invalid';
const ONE_OF = 'one of key, pk and row is required';
const CHARACTERS_MAX = 262_144;

const value = z.union([text, z.number().transform(String), z.boolean().transform(String), z.null()]);
/** In a query it is the text of a JSON object, or nests. */
const values = z
  .unknown()
  .transform((given) => (typeof given === 'string' ? parsedJson(given) : given))
  .pipe(z.record(z.string(), value))
  .refine((texts) => Object.values(texts).reduce((size, each) => size + (each?.length ?? 0), 0) <= CHARACTERS_MAX);
const fields = z.object({ key: text.optional(), pk: values.optional(), row: values.optional() });

export function explainParameters(raw: RawParameters): ExplainParameters | Refusal {
  const row = askedRow(raw);
  if (isRefusal(row)) return row;
  const named = deleteParameters(raw); // These name a shape, and neither an offset nor a way to read.
  return isRefusal(named) ? named : { ...named, row };
}

function askedRow(raw: RawParameters): AskedRow | Refusal {
  const given = ['key', 'pk', 'row'].flatMap((name) => (isThere(raw[name]) ? [[name, raw[name]]] : []));
  const cast = fields.safeParse(Object.fromEntries(given));
  if (!cast.success) return invalidRequest(Object.fromEntries(cast.error.issues.map(({ path }) => [String(path[0]), [INVALID]])));
  const { key, pk, row } = cast.data;
  const asked: readonly AskedRow[] = [
    ...(key === undefined ? [] : [{ by: 'key', key } as const]),
    ...(pk === undefined ? [] : [{ by: 'pk', values: pk } as const]),
    ...(row === undefined ? [] : [{ by: 'row', values: row } as const]),
  ];
  const [only] = asked;
  return only === undefined || asked.length > 1 ? invalidRequest({ [asked[1]?.by ?? 'key']: [ONE_OF] }) : only;
}

/** A value of blanks is an absent one. */
function isThere(given: unknown): boolean {
  return given !== undefined && given !== null && !(typeof given === 'string' && given.trim() === '');
}
