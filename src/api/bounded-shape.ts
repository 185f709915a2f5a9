/** BoundedShape: what a request asks for, within the bounds that are fixed for it. */
import type { Relation } from '../model/relation.ts';
import { defineShape, whereColumn, type DefinedShape, type InnerTable, type Mistaken } from '../shapes/shape-request.ts';
import type { TimeZones, WhereColumn, WhereLanguage, WrittenFilter } from '../sql/where.ts';
import { chosenColumns } from './queryable-columns.ts';
import { invalidRequest, isRefusal, type Refusal } from './refusal.ts';
import { BoundsError, type ShapeBounds } from './shape-bounds.ts';
import type { DefinitionParameters } from './shape-parameters.ts';

/** What is fixed does not fit the table as it is known here; it may fit as the table is now. */
export interface Misfit {
  readonly kind: 'misfit';
  readonly why: string;
}

export function isMisfit(value: object): value is Misfit {
  return 'kind' in value && value.kind === 'misfit';
}

/**
 * The end of a request whose bounds do not fit: a client that chose the table chose one that is not for it.
 *
 * @throws {BoundsError} when the table was fixed too.
 */
export function refuseMisfit({ why }: Misfit, { bounds }: DefinitionParameters): Refusal {
  if (bounds?.table !== undefined) throw new BoundsError(why);
  return invalidRequest({ table: ['This table cannot be read within what is fixed for the request'] });
}

/** Why the columns that are fixed cannot be those of this table; undefined when they can, and when none are. */
export function unfitColumns(parameters: DefinitionParameters, relation: Relation): Misfit | undefined {
  if (parameters.bounds?.columns === undefined) return undefined;
  const fixed = chosenColumns({ ...parameters, columns: undefined }, relation);
  if (!isRefusal(fixed)) return undefined;
  return { kind: 'misfit', why: `The columns that authorize fixed for a request cannot be used: ${fixed.body}` };
}

/** The parameters of a request within its bounds; its filter is joined with theirs when its table is known. */
export function withinBounds(parameters: DefinitionParameters, bounds: ShapeBounds | undefined): DefinitionParameters {
  if (bounds === undefined) return parameters;
  const { table = parameters.table, columns = parameters.queryableColumns } = bounds;
  return { ...parameters, table, queryableColumns: columns, bounds };
}

/** The filter that has subqueries, if any has: a client's own has none beside what is fixed. */
export function followedFilter({ bounds, where }: DefinitionParameters): string | undefined {
  return bounds === undefined ? where : bounds.filter?.text;
}

/**
 * The shape that a request asks for, within its bounds.
 *
 * @param columns that were chosen, as identifiers.
 * @returns a misfit when what is fixed is no filter of that table.
 */
export function defineWithin(
  parameters: DefinitionParameters,
  columns: string | undefined,
  relation: Relation,
  language: WhereLanguage,
  inner: readonly InnerTable[],
  zones: TimeZones,
): DefinedShape | Mistaken | Misfit {
  const { bounds, where, params } = parameters;
  const define = (filter: Partial<WrittenFilter>): DefinedShape | Mistaken =>
    defineShape({ ...parameters, columns, where: filter.text, params: filter.params }, relation, language, inner, zones);
  if (bounds === undefined) return define({ ...(where === undefined ? {} : { text: where }), params });
  // What is fixed must be a whole filter by itself: else its brackets could be closed by what is asked for.
  const fixed = define(bounds.filter ?? {});
  if ('errors' in fixed) return fixed.zone === undefined ? unfitFilter(fixed) : fixed;
  if (where === undefined) return fixed;
  const rules = { collation: relation.collation, zones, version: relation.version };
  const narrowed = language.narrow(bounds.filter, { text: where, params }, nameable(relation, parameters), rules, relation);
  if (!('error' in narrowed)) return define(narrowed);
  const { error, field, zone } = narrowed;
  return { errors: { [field]: [error] }, ...(zone === undefined ? {} : { zone }) };
}

function nameable(relation: Relation, { queryableColumns }: DefinitionParameters): readonly WhereColumn[] {
  return relation.columns.filter(({ name, generated }) => !generated && (queryableColumns?.includes(name) ?? true)).map(whereColumn);
}

/** What is chosen of the columns is the client's mistake. */
function unfitFilter(mistaken: Mistaken): Mistaken | Misfit {
  const { where = [], params = [] } = mistaken.errors;
  const [why] = [...where, ...params];
  if (why === undefined) return mistaken;
  return { kind: 'misfit', why: `The filter that authorize fixed for a request cannot be used: ${why}` };
}
