/**
 * From a request's words to the query of a subset, or to its mistakes. Filter and order may name any column of the table, unless a
 * proxy has bounded them; what the shape selects is another matter.
 */
import type { Relation } from '../../model/relation.ts';
import { whereColumn } from '../../shapes/shape-request.ts';
import type { ShapeTarget } from '../definition-cache.ts';
import { invalidSubset, isRefusal, type Refusal } from '../refusal.ts';
import type { DefinitionParameters, RawParameters } from '../shape-parameters.ts';
import { subsetParameters } from './subset-parameters.ts';
import type { SubsetQuery, SubsetSource } from './subset-source.ts';

export function subsetQuery(
  { language }: SubsetSource,
  raw: RawParameters,
  { queryableColumns }: Pick<DefinitionParameters, 'queryableColumns'>,
  { relation, definition }: Pick<ShapeTarget, 'relation' | 'definition'>,
): SubsetQuery | Refusal {
  const parameters = subsetParameters(raw);
  if (isRefusal(parameters)) return parameters;
  const { where, params, orderBy, limit, offset } = parameters;
  const columns = namedColumns(relation, queryableColumns);
  const { collation, version } = relation;
  const filter = where === undefined ? undefined : language.parseFilter(where, params, columns.map(whereColumn), { collation, version });
  if (filter !== undefined && 'error' in filter) return invalidSubset({ [filter.field]: [filter.error] });
  const table = { columns: columns.map(({ name }) => name), selected: definition.columns };
  const order = orderBy === undefined ? undefined : language.parseOrderBy(orderBy, table);
  if (order !== undefined && 'error' in order) return invalidSubset({ order_by: [order.error] });
  return { filter, order, limit, offset };
}

function namedColumns({ columns }: Relation, allowed: readonly string[] | undefined): Relation['columns'] {
  return allowed === undefined ? columns : columns.filter(({ name }) => allowed.includes(name));
}
