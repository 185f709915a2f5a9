/**
 * From parameters to a shape's definition: the table as the catalogue knows it, then columns and filter against it.
 *
 * Live clients ask the same again and again, so a definition that was worked out is kept for as long as the
 * catalogue gives the same relation. Nothing is made here: a shape exists only once the directory has it.
 */
import type { Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import { defineShape } from '../shapes/define-shape.ts';
import type { RelationName } from '../sql/identifiers.ts';
import type { ApiContext } from './api-context.ts';
import { databaseUnreachable, invalidRequest, isRefusal, type Refusal } from './refusal.ts';
import { schemaJson } from './schema-header.ts';
import { tableOf, type DefinitionParameters } from './shape-parameters.ts';

export interface ShapeTarget {
  readonly definition: ShapeDefinition;
  /** What clients need to parse the rows, of the catalogue as it is now. */
  readonly schema: () => string;
}

const CACHED_MAX = 10_000;

/** Targets by what was asked; the oldest go first. */
export class DefinitionCache {
  private readonly targets = new Map<string, { readonly relation: Relation; readonly target: ShapeTarget }>();

  get(key: string, relation: Relation): ShapeTarget | undefined {
    const cached = this.targets.get(key);
    return cached?.relation === relation ? cached.target : undefined;
  }

  set(key: string, relation: Relation, target: ShapeTarget): void {
    this.targets.delete(key);
    this.targets.set(key, { relation, target });
    const [oldest] = this.targets.keys();
    if (this.targets.size > CACHED_MAX && oldest !== undefined) this.targets.delete(oldest);
  }
}

export async function defineShapeTarget(context: ApiContext, parameters: DefinitionParameters): Promise<ShapeTarget | Refusal> {
  const table = tableOf(parameters);
  if (isRefusal(table)) return table;
  const lookup = await lookUp(context, table);
  if (isRefusal(lookup)) return lookup;
  const key = JSON.stringify(parameters);
  const cached = context.definitions.get(key, lookup.relation);
  if (cached !== undefined) return cached;
  const defined = defineShape(lookup.relation, parameters, context.ports.language);
  if ('errors' in defined) return invalidRequest(defined.errors);
  const target = targetOf(lookup.relation, defined.definition);
  context.definitions.set(key, lookup.relation, target);
  return target;
}

async function lookUp({ ports }: ApiContext, { schema, name }: RelationName): Promise<{ readonly relation: Relation } | Refusal> {
  const lookup = await ports.catalog.relation(schema, name);
  if (lookup.outcome === 'unreachable') return databaseUnreachable();
  if (lookup.outcome === 'found' && lookup.relation.columns.length > 0) return lookup;
  const advice = 'If the table name contains capitals or special characters you must quote it.';
  return invalidRequest({ table: [`Table "${schema}"."${name}" does not exist. ${advice}`] });
}

/** The schema is worked out at the first answer that carries it. */
function targetOf(relation: Relation, definition: ShapeDefinition): ShapeTarget {
  let schema: string | undefined;
  return { definition, schema: () => (schema ??= schemaJson(relation, definition.columns)) };
}
