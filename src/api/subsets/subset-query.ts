/**
 * From a request's words to the query of a subset, or to its mistakes. Filter and order may name any column of the table, unless a
 * proxy has bounded them; what the shape selects is another matter.
 */
import type { Relation } from '../../model/relation.ts';
import { whereColumn } from '../../shapes/shape-request.ts';
import { MAY_FAIL } from '../../sql/where-refusal.ts';
import type { ShapeTarget } from '../definition-cache.ts';
import { withNamedZones } from '../named-zones.ts';
import type { ApiPorts } from '../ports.ts';
import { invalidSubset, isRefusal, type Refusal } from '../refusal.ts';
import type { DefinitionParameters, RawParameters } from '../shape-parameters.ts';
import { subsetParameters } from './subset-parameters.ts';
import type { SubsetQuery } from './subset-source.ts';

export async function subsetQuery(
  { subsets: { language }, zones: source }: Pick<ApiPorts, 'subsets' | 'zones'>,
  raw: RawParameters,
  { queryableColumns, bounds }: Pick<DefinitionParameters, 'queryableColumns' | 'bounds'>,
  { relation, definition }: Pick<ShapeTarget, 'relation' | 'definition'>,
): Promise<SubsetQuery | Refusal> {
  const parameters = subsetParameters(raw);
  if (isRefusal(parameters)) return parameters;
  const { where, params, orderBy, limit, offset } = parameters;
  const columns = namedColumns(relation, queryableColumns);
  const { collation, version } = relation;
  const filter = where === undefined ? undefined : await withNamedZones(
    source,
    (zones) => language.parseFilter(where, params, columns.map(whereColumn), { collation, zones, version }),
    (why) => invalidSubset({ where: [why] }),
  );
  if (filter !== undefined && isRefusal(filter)) return filter;
  if (filter !== undefined && 'error' in filter) return invalidSubset({ [filter.field]: [filter.error] });
  if (bounds?.filter !== undefined && filter?.isErrorFree === false) return invalidSubset({ where: [MAY_FAIL] });
  const table = { columns: columns.map(({ name }) => name), selected: definition.columns };
  const order = orderBy === undefined ? undefined : language.parseOrderBy(orderBy, table);
  if (order !== undefined && 'error' in order) return invalidSubset({ order_by: [order.error] });
  return { filter, order, limit, offset };
}

function namedColumns({ columns }: Relation, allowed: readonly string[] | undefined): Relation['columns'] {
  return allowed === undefined ? columns : columns.filter(({ name }) => allowed.includes(name));
}
