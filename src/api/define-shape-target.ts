/**
 * From parameters to a shape's definition: the table as the catalogue knows it, then columns and filter against it.
 *
 * Live clients ask the same again and again, so a definition that was worked out is kept for as long as the
 * catalogue gives the same relation. A mistake is told only of the table as Postgres has it now: a column that was added
 * is known to nobody here until the table is written to, and a client does not try again after a 400. Nothing is made here:
 * a shape exists only once `create` has made it.
 */
import type { Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import { defineShape, unknownTable } from '../shapes/shape-request.ts';
import { quoteIdentifier, quoteRelation, type RelationName } from '../sql/identifiers.ts';
import type { ApiContext } from './api-context.ts';
import type { ShapeTarget } from './definition-cache.ts';
import type { RelationLookup } from './ports.ts';
import { chosenColumns } from './queryable-columns.ts';
import { whenReady } from './readiness.ts';
import { databaseUnreachable, invalidRequest, isRefusal, type FieldErrors, type Refusal } from './refusal.ts';
import { tableOf, type DefinitionParameters } from './shape-parameters.ts';

export async function defineShapeTarget(context: ApiContext, parameters: DefinitionParameters): Promise<ShapeTarget | Refusal> {
  const { relations } = context.ports;
  const table = tableOf(parameters);
  if (isRefusal(table)) return table;
  const lookup = await lookUp(context, table, () => relations.relation(table.schema, table.name));
  if (isRefusal(lookup)) return lookup;
  const target = targetIn(context, parameters, lookup.relation);
  if (!isRefusal(target)) return target;
  const now = await lookUp(context, table, () => relations.relationNow(table.schema, table.name));
  if (isRefusal(now)) return now;
  return now.relation === lookup.relation ? target : targetIn(context, parameters, now.relation);
}

function targetIn(context: ApiContext, parameters: DefinitionParameters, relation: Relation): ShapeTarget | Refusal {
  const key = JSON.stringify(parameters);
  const cached = context.definitions.get(key, relation);
  if (cached !== undefined) return cached;
  const definition = define(context, parameters, relation);
  if (isRefusal(definition)) return definition;
  let schema: string | undefined; // Worked out at the first answer that carries it.
  const target: ShapeTarget = { definition, schema: () => (schema ??= context.schemas.of(relation, definition.columns)) };
  context.definitions.set(key, relation, target);
  return target;
}

function define({ ports, settings }: ApiContext, parameters: DefinitionParameters, relation: Relation): ShapeDefinition | Refusal {
  const chosen = chosenColumns(parameters, relation);
  if (isRefusal(chosen)) return chosen;
  const request = { ...parameters, columns: chosen.names?.map(quoteIdentifier).join(',') };
  const defined = defineShape(request, relation, ports.language, settings.publishesGenerated ?? false);
  return 'errors' in defined ? invalidRequest(defined.errors) : defined.definition;
}

async function lookUp(
  context: ApiContext,
  table: RelationName,
  ask: () => Promise<RelationLookup>,
): Promise<{ readonly relation: Relation } | Refusal> {
  let lookup = await ask();
  if (lookup.outcome === 'unreachable') {
    // The service listens before it has reached Postgres. A request that comes in between waits until it has.
    const unready = await whenReady(context, 'active');
    if (unready !== undefined) return unready;
    lookup = await ask();
  }
  switch (lookup.outcome) {
    case 'found': {
      const errors = whyUnservable(table, lookup.relation);
      return errors === undefined ? lookup : invalidRequest(errors);
    }
    case 'unservable':
      return invalidRequest(unservable(table, lookup.kindName));
    case 'missing':
      return invalidRequest(unknownTable(table));
    case 'unreachable':
      return databaseUnreachable();
  }
}

function whyUnservable(table: RelationName, { columns, isPartitioned }: Relation): FieldErrors | undefined {
  if (columns.length === 0) return unknownTable(table);
  if (isPartitioned === true) return partitioned(table);
  const virtual = columns.filter(({ isVirtual }) => isVirtual === true).map(({ name }) => name);
  return virtual.length === 0 ? undefined : withVirtualColumns(table, virtual);
}

/** Shapes need replica identity FULL, and on a published table with FULL and an unpublished column Postgres refuses every update. */
function withVirtualColumns(table: RelationName, names: readonly string[]): FieldErrors {
  return {
    table: [
      `Table ${quoteRelation(table)} has virtual generated columns (${names.join(', ')}), which Postgres does not replicate: ` +
        'with replica identity FULL, which shapes need, it would refuse every UPDATE and DELETE on the table. ' +
        'Make them STORED, or drop them.',
    ],
  };
}

/** A shape on the root would stay as it was for ever: changes arrive under the names of the partitions. */
function partitioned(table: RelationName): FieldErrors {
  return {
    table: [
      `Table ${quoteRelation(table)} is partitioned, and shapes on partitioned tables are not supported yet. ` +
        'Ask for one of its partitions.',
    ],
  };
}

/** Postgres streams no changes of such a relation, so a shape on it would never change. */
function unservable(table: RelationName, kindName: string): FieldErrors {
  const servable = 'Only ordinary tables can be served: no views, foreign tables or system tables, and no temporary or unlogged tables.';
  return { table: [`${quoteRelation(table)} is ${kindName}. ${servable}`] };
}
