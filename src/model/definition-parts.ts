/**
 * DefinitionParts: what the definitions of many shapes on one table have in common, held once for all of them. A definition is made anew
 * by each request, and by each line of a checkpoint: ten thousand shapes would hold the columns of their table ten thousand times.
 */
import type { ShapeDefinition } from './shape.ts';

type Parts = Pick<ShapeDefinition, 'relation' | 'columns' | 'primaryKey' | 'reads' | 'facts'>;

/** So many tables, each with so many selections: of more, those that came first are shared with nobody who comes. */
const KNOWN_MAX = 1_000;

export class DefinitionParts {
  private readonly known = new Map<string, Parts>();
  /** The same by one of them: most definitions that come here have been made of these. */
  private readonly byReads = new WeakMap<Parts['reads'], Parts>();

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
    const { relation, columns, primaryKey, reads, facts } = definition;
    const own = this.byReads.get(reads);
    if (own !== undefined && areSame(own, definition)) return definition;
    const key = JSON.stringify([relation, columns, primaryKey, reads, facts ?? null]);
    const known = this.known.get(key);
    if (known !== undefined) return areSame(known, definition) ? definition : { ...definition, ...known };
    const parts = { relation, columns, primaryKey, reads, ...(facts === undefined ? {} : { facts }) };
    this.known.set(key, parts);
    this.byReads.set(reads, parts);
    const [oldest] = this.known.size > KNOWN_MAX ? this.known.keys() : [];
    if (oldest !== undefined) this.known.delete(oldest);
    return definition;
  }
}

function areSame(left: Parts, right: Parts): boolean {
  return left.reads === right.reads && left.columns === right.columns && left.relation === right.relation
    && left.primaryKey === right.primaryKey && left.facts === right.facts;
}
