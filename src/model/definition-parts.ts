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

  /** @returns an equal definition; the same, where its parts are those that are shared. */
  shared(definition: ShapeDefinition): ShapeDefinition {
    const { relation, columns, primaryKey, reads, facts } = definition;
    const key = JSON.stringify([relation, columns, primaryKey, reads, facts ?? null]);
    const known = this.known.get(key);
    if (known !== undefined) return known.reads === reads && known.columns === columns ? definition : { ...definition, ...known };
    this.known.set(key, { relation, columns, primaryKey, reads, ...(facts === undefined ? {} : { facts }) });
    const [oldest] = this.known.size > KNOWN_MAX ? this.known.keys() : [];
    if (oldest !== undefined) this.known.delete(oldest);
    return definition;
  }
}
