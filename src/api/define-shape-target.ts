/**
 * From parameters to a shape's definition: the table as the catalogue knows it, then columns and filter against it.
 *
 * Live clients ask the same again and again, so a definition that was worked out is kept for as long as the
 * catalogue gives the same relation. Nothing is made here: a shape exists only once `create` has made it.
 */
import type { Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import { schemaHeader } from '../shapes/schema-header.ts';
import { defineShape, unknownTable } from '../shapes/shape-request.ts';
import { quoteIdentifier, quoteRelation, type RelationName } from '../sql/identifiers.ts';
import type { ApiContext } from './api-context.ts';
import type { ShapeTarget } from './definition-cache.ts';
import { chosenColumns } from './queryable-columns.ts';
import { whenReady } from './readiness.ts';
import { databaseUnreachable, invalidRequest, isRefusal, type Refusal } from './refusal.ts';
import { tableOf, type DefinitionParameters } from './shape-parameters.ts';

export async function defineShapeTarget(context: ApiContext, parameters: DefinitionParameters): Promise<ShapeTarget | Refusal> {
  const table = tableOf(parameters);
  if (isRefusal(table)) return table;
  const lookup = await lookUp(context, table);
  if (isRefusal(lookup)) return lookup;
  const key = JSON.stringify(parameters);
  const cached = context.definitions.get(key, lookup.relation);
  if (cached !== undefined) return cached;
  const definition = define(context, parameters, lookup.relation);
  if (isRefusal(definition)) return definition;
  const target = targetOf(lookup.relation, definition);
  context.definitions.set(key, lookup.relation, target);
  return target;
}

function define({ ports, settings }: ApiContext, parameters: DefinitionParameters, relation: Relation): ShapeDefinition | Refusal {
  const chosen = chosenColumns(parameters, relation);
  if (isRefusal(chosen)) return chosen;
  const request = { ...parameters, columns: chosen.names?.map(quoteIdentifier).join(',') };
  const defined = defineShape(request, relation, ports.language, settings.publishesGenerated ?? false);
  return 'errors' in defined ? invalidRequest(defined.errors) : defined.definition;
}

async function lookUp(context: ApiContext, table: RelationName): Promise<{ readonly relation: Relation } | Refusal> {
  const { relations } = context.ports;
  let lookup = await relations.relation(table.schema, table.name);
  if (lookup.outcome === 'unreachable') {
    // The service listens before it has reached Postgres: who comes in between waits, as for everything else.
    const unready = await whenReady(context, 'active');
    if (unready !== undefined) return unready;
    lookup = await relations.relation(table.schema, table.name);
  }
  if (lookup.outcome === 'unreachable') return databaseUnreachable();
  if (lookup.outcome === 'found' && lookup.relation.isPartitioned === true) return invalidRequest(partitioned(table));
  if (lookup.outcome === 'found' && lookup.relation.columns.length > 0) return lookup;
  return invalidRequest(unknownTable(table));
}

/** Better refused than silent: changes arrive under the names of the partitions, and would never reach the shape. */
function partitioned(table: RelationName): Readonly<Record<string, readonly string[]>> {
  return { table: [`Table ${quoteRelation(table)} is partitioned, and shapes on partitioned tables are not supported yet. Ask for one of its partitions.`] };
}

/** The schema is worked out at the first answer that carries it. */
function targetOf(relation: Relation, definition: ShapeDefinition): ShapeTarget {
  let schema: string | undefined;
  return { definition, schema: () => (schema ??= schemaHeader(relation, definition.columns)) };
}
