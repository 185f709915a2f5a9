/**
 * DefinitionParts: what the definitions of many shapes on one table have in common, held once for all of them. A definition is made anew
 * by each request, and by each line of a checkpoint: ten thousand shapes would hold the columns of their table ten thousand times.
 */
import { areAlike } from '../base/alike.ts';
import type { ShapeDefinition } from './shape.ts';

type Parts = Pick<ShapeDefinition, 'relation' | 'columns' | 'primaryKey' | 'reads' | 'facts'>;

/** So many tables, each with so many selections: of more, those that came first are shared with nobody who comes. */
const KNOWN_MAX = 1_000;

export class DefinitionParts {
  private readonly known = new Map<string, Parts>();
  /** The same by one of them: most definitions that come here have been made of these. */
  private readonly byReads = new WeakMap<Parts['reads'], Parts>();
  /** Those of each table that came last, by its oid: of ten thousand that are read one after the other none is put into words. */
  private readonly last = new Map<number, Parts>();

  /** @returns an equal definition; the same, where its parts, and those of all that it depends on, are those that are shared. */
  shared(definition: ShapeDefinition): ShapeDefinition {
    return this.withOwn(this.withInner(definition));
  }

  private withInner(definition: ShapeDefinition): ShapeDefinition {
    const { dependencies } = definition;
    const shared = dependencies?.map((dependency) => {
      const shape = this.shared(dependency.shape);
      return shape === dependency.shape ? dependency : { ...dependency, shape };
    });
    if (shared === undefined || shared.every((dependency, number) => dependency === dependencies?.[number])) return definition;
    return { ...definition, dependencies: shared };
  }

  private withOwn(definition: ShapeDefinition): ShapeDefinition {
    const { relation, reads } = definition;
    const own = this.byReads.get(reads);
    if (own !== undefined && areSame(own, definition)) return definition;
    const last = this.last.get(relation.oid);
    if (last !== undefined && areEqual(last, definition)) return areSame(last, definition) ? definition : { ...definition, ...last };
    const parts = this.partsOf(definition);
    this.note(this.last, relation.oid, parts);
    return areSame(parts, definition) ? definition : { ...definition, ...parts };
  }

  private partsOf({ relation, columns, primaryKey, reads, facts }: ShapeDefinition): Parts {
    const key = JSON.stringify([relation, columns, primaryKey, reads, facts ?? null]);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const parts = { relation, columns, primaryKey, reads, ...(facts === undefined ? {} : { facts }) };
    this.note(this.known, key, parts);
    this.byReads.set(reads, parts);
    return parts;
  }

  private note<Key>(noted: Map<Key, Parts>, key: Key, parts: Parts): void {
    noted.set(key, parts);
    const [oldest] = noted.size > KNOWN_MAX ? noted.keys() : [];
    if (oldest !== undefined) noted.delete(oldest);
  }
}

function areEqual(left: Parts, right: Parts): boolean {
  return areAlike(left.relation, right.relation) && areAlike(left.reads, right.reads) && areAlike(left.columns, right.columns)
    && areAlike(left.primaryKey, right.primaryKey) && areAlike(left.facts, right.facts);
}

function areSame(left: Parts, right: Parts): boolean {
  return left.reads === right.reads && left.columns === right.columns && left.relation === right.relation
    && left.primaryKey === right.primaryKey && left.facts === right.facts;
}
