/** What requests asked for, worked out once: live clients ask the same again and again. */
import type { Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import type { RelationName } from '../sql/identifiers.ts';

export interface ShapeTarget {
  readonly definition: ShapeDefinition;
  /** Its table, as the catalogue has it. */
  readonly relation: Relation;
  /** What clients need to parse the rows, of the catalogue as it is now. */
  readonly schema: () => string;
}

const TARGETS_MAX = 10_000;
/** Keys and filters are counted: a filter of 64 kB with its values can become a definition of a megabyte. */
const CHARACTERS_MAX = 64_000_000;

interface CachedTarget {
  /** The shape's own, then those that subqueries of its filter select from. */
  readonly relations: readonly Relation[];
  readonly target: ShapeTarget;
  readonly characters: number;
}

/** Targets by what was asked; the oldest go first. */
export class DefinitionCache {
  private readonly targets = new Map<string, CachedTarget>();
  private characters = 0;

  /** @param relations the shape's own, then those that subqueries of its filter select from. */
  get(key: string, relations: readonly Relation[]): ShapeTarget | undefined {
    const cached = this.targets.get(key);
    const isSame = cached?.relations.length === relations.length && cached.relations.every((relation, at) => relation === relations[at]);
    return isSame ? cached.target : undefined;
  }

  /** What subqueries select from, known without reading the filter again; undefined when it was not worked out yet. */
  innerTables(key: string): readonly RelationName[] | undefined {
    return this.targets.get(key)?.relations.slice(1);
  }

  set(key: string, relations: readonly Relation[], target: ShapeTarget): void {
    const characters = key.length + charactersIn(target.definition);
    this.delete(key);
    this.targets.set(key, { relations, target, characters });
    this.characters += characters;
    for (const oldest of this.targets.keys()) {
      if (this.targets.size <= TARGETS_MAX && this.characters <= CHARACTERS_MAX) return;
      this.delete(oldest);
    }
  }

  private delete(key: string): void {
    this.characters -= this.targets.get(key)?.characters ?? 0;
    this.targets.delete(key);
  }
}

/** Of its filter, and of what an inner shape has a copy of. */
function charactersIn({ where, dependencies = [] }: ShapeDefinition): number {
  return dependencies.reduce((sum, { shape }) => {
    const copied = [shape.where?.text ?? '', ...(shape.where?.params ?? [])];
    return sum + charactersIn(shape) + copied.reduce((size, text) => size + text.length, 0);
  }, where?.canonical.length ?? 0);
}
