/**
 * From parameters to a shape's definition: the tables as the catalogue knows them, then columns and filter against them.
 *
 * Live clients ask the same again and again, so a definition that was worked out is kept for as long as the
 * catalogue gives the same relations. A mistake is told only of the tables as Postgres has them now: a column that was added
 * is known to nobody here until the table is written to, and a client does not try again after a 400. Nothing is made here:
 * a shape exists only once `create` has made it.
 */
import type { Relation, UntoldPartition } from '../model/relation.ts';
import type { Handle, ShapeDefinition } from '../model/shape.ts';
import { unknownTable, type InnerTable } from '../shapes/shape-request.ts';
import { quoteIdentifier, quoteRelation, type RelationName } from '../sql/identifiers.ts';
import type { ApiContext } from './api-context.ts';
import { defineWithin, followedFilter, isMisfit, refuseMisfit, unfitColumns, type Misfit } from './bounded-shape.ts';
import { askedKey, type ShapeTarget } from './definition-cache.ts';
import { withNamedZones } from './named-zones.ts';
import type { RelationLookup, RelationSource } from './ports.ts';
import { chosenColumns } from './queryable-columns.ts';
import { whenReady } from './readiness.ts';
import { databaseUnreachable, invalidRequest, isRefusal, type Refusal } from './refusal.ts';
import { tableOf, type DefinitionParameters } from './shape-parameters.ts';
import { isGuessOf, storedRelation } from './stored-relation.ts';

/** A request with its tables, as they were looked up. */
interface Asked {
  readonly key: string;
  readonly parameters: DefinitionParameters;
  readonly relation: Relation;
  /** What subqueries of the filter select from. */
  readonly inner: readonly InnerTable[];
}

type Ask = (table: RelationName) => Promise<RelationLookup>;

/**
 * @param held the handle that a reader comes back with: while Postgres has not been reached, its shape says what it was made of.
 * @throws {BoundsError} when what is fixed of the request does not fit the table that is fixed.
 */
export async function defineShapeTarget(
  context: ApiContext,
  parameters: DefinitionParameters,
  held?: Handle,
): Promise<ShapeTarget | Refusal> {
  const { relations, shapes } = context.ports;
  const stored = held === undefined ? undefined : shapes.definitionOf(held);
  const early = new EarlyLookups(relations, stored);
  const first = await lookUpAll(context, parameters, (table) => early.lookUp(table));
  if (stored !== undefined && early.areOfStored) {
    const meant = isRefusal(first) ? undefined : await storedTarget(context, first, stored);
    if (meant !== undefined) return meant;
  }
  const known = early.areOfStored ? await lookUpAll(context, parameters, ({ schema, name }) => relations.relation(schema, name)) : first;
  if (isRefusal(known)) return known;
  const target = await targetOf(context, known);
  if (!isMistake(target)) return target;
  const now = await lookUpAll(context, parameters, ({ schema, name }) => relations.relationNow(schema, name));
  if (isRefusal(now)) return now;
  const last = areSame(known, now) ? target : await targetOf(context, now);
  return isMisfit(last) ? refuseMisfit(last, parameters) : last;
}

/** Lookups that a stored shape answers where Postgres has not been reached yet. */
class EarlyLookups {
  /** At least one was answered so: what is made of them is a guess. */
  areOfStored = false;

  constructor(
    private readonly relations: RelationSource,
    private readonly stored: ShapeDefinition | undefined,
  ) {}

  async lookUp(table: RelationName): Promise<RelationLookup> {
    const lookup = await this.relations.relation(table.schema, table.name);
    if (lookup.outcome !== 'unreachable' || this.stored === undefined) return lookup;
    const relation = storedRelation(this.stored, table);
    if (relation === undefined) return lookup;
    this.areOfStored = true;
    return { outcome: 'found', relation };
  }
}

/** A guess is no definition to make a shape of, or to join one by. @returns undefined where something else is asked for. */
async function storedTarget(context: ApiContext, asked: Asked, stored: ShapeDefinition): Promise<ShapeTarget | undefined> {
  const target = await targetOf(context, asked);
  return isMistake(target) || !isGuessOf(target.definition, stored) ? undefined : { ...target, definition: stored };
}

function isMistake(found: ShapeTarget | ShapeDefinition | Refusal | Misfit): found is Refusal | Misfit {
  return isRefusal(found) || isMisfit(found);
}

async function targetOf(context: ApiContext, asked: Asked): Promise<ShapeTarget | Refusal | Misfit> {
  const { relation } = asked;
  const inner = asked.inner.flatMap((table) => ('relation' in table ? [table.relation] : []));
  const cached = context.definitions.get(asked.key, relation, inner);
  if (cached !== undefined) return cached;
  const defined = await define(context, asked);
  if (isMistake(defined)) return defined;
  const target = { definition: context.definitions.shared(defined), relation };
  context.definitions.set(asked.key, target, inner);
  return target;
}

async function define({ ports }: ApiContext, { parameters, relation, inner }: Asked): Promise<ShapeDefinition | Refusal | Misfit> {
  const chosen = chosenColumns(parameters, relation);
  if (isRefusal(chosen)) return unfitColumns(parameters, relation) ?? chosen;
  const columns = chosen.names?.map(quoteIdentifier).join(',');
  const defined = await withNamedZones(
    ports.zones,
    (zones) => defineWithin(parameters, columns, relation, ports.language, inner, zones),
    (why) => invalidRequest({ where: [why] }),
  );
  if (isRefusal(defined) || isMisfit(defined)) return defined;
  if ('errors' in defined) return invalidRequest(defined.errors);
  if (defined.where !== undefined) ports.filters?.keep(defined.definition, defined.where);
  return defined.definition;
}

async function lookUpAll(context: ApiContext, parameters: DefinitionParameters, ask: Ask): Promise<Asked | Refusal> {
  const table = tableOf(parameters);
  if (isRefusal(table)) return table;
  const outer = await lookUp(context, table, ask);
  if (isRefusal(outer)) return outer;
  if ('error' in outer) return invalidRequest({ table: [outer.error] });
  const key = askedKey(parameters);
  const inner: InnerTable[] = [];
  for (const name of innerTables(context, key, parameters)) {
    const found = await lookUp(context, name, ask);
    if (isRefusal(found)) return found;
    inner.push({ name, ...found });
  }
  return { key, parameters, relation: outer.relation, inner };
}

/** None in a text that is no filter: whoever parses it says so. */
function innerTables({ definitions, ports }: ApiContext, key: string, parameters: DefinitionParameters): readonly RelationName[] {
  const where = followedFilter(parameters);
  if (where === undefined) return [];
  const tables = definitions.innerTables(key) ?? ports.language.tablesIn(where);
  return 'error' in tables ? [] : tables;
}

function areSame(left: Asked, right: Asked): boolean {
  const relationIn = (table: InnerTable | undefined): Relation | string | undefined =>
    table !== undefined && 'relation' in table ? table.relation : table?.error;
  return left.relation === right.relation && left.inner.every((table, index) => relationIn(table) === relationIn(right.inner[index]));
}

async function lookUp(
  context: ApiContext,
  table: RelationName,
  ask: Ask,
): Promise<{ readonly relation: Relation } | { readonly error: string } | Refusal> {
  let lookup = await ask(table);
  if (lookup.outcome === 'unreachable') {
    // The service listens before it has reached Postgres. A request that comes in between waits until it has, and for nothing else.
    const unready = await whenReady(context, 'connected');
    // What has a code of its own is not Postgres's absence: that may be over, and the shape stored.
    if (unready !== undefined && context.ports.status.whyNotReady()?.code === undefined) return unready;
    lookup = await ask(table);
  }
  switch (lookup.outcome) {
    case 'found': {
      const error = whyUnservable(table, lookup.relation);
      return error === undefined ? { relation: lookup.relation } : { error };
    }
    case 'unservable':
      return { error: unservable(table, lookup.kindName) };
    case 'missing':
      return { error: unknownTable(table) };
    case 'unreachable':
      return databaseUnreachable();
  }
}

function whyUnservable(table: RelationName, { columns, untoldPartition }: Relation): string | undefined {
  if (columns.length === 0) return unknownTable(table);
  if (untoldPartition !== undefined) return withUntoldPartition(table, untoldPartition);
  const virtual = columns.filter(({ isVirtual }) => isVirtual === true).map(({ name }) => name);
  return virtual.length === 0 ? undefined : withVirtualColumns(table, virtual);
}

/** Shapes need replica identity FULL, and on a published table with FULL and an unpublished column Postgres refuses every update. */
function withVirtualColumns(table: RelationName, names: readonly string[]): string {
  return (
    `Table ${quoteRelation(table)} has virtual generated columns (${names.join(', ')}), which Postgres does not replicate: ` +
    'with replica identity FULL, which shapes need, it would refuse every UPDATE and DELETE on the table. ' +
    'Make them STORED, or drop them.'
  );
}

/** A part of its shapes would stay as it was for ever. */
function withUntoldPartition(table: RelationName, { schema, name, kindName }: UntoldPartition): string {
  return (
    `Table ${quoteRelation(table)} has a partition that Postgres does not replicate: ${quoteRelation({ schema, name })} is ${kindName}. ` +
    'Detach it, or ask for another partition.'
  );
}

/** Postgres streams no changes of such a relation, so a shape on it would never change. */
function unservable(table: RelationName, kindName: string): string {
  const servable = 'Only tables can be served, partitioned ones too: no views, foreign, system, temporary or unlogged tables.';
  return `${quoteRelation(table)} is ${kindName}. ${servable}`;
}
