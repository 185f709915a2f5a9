/** What requests asked for, worked out once: live clients ask the same again and again. */
import type { Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';

export interface ShapeTarget {
  readonly definition: ShapeDefinition;
  /** What clients need to parse the rows, of the catalogue as it is now. */
  readonly schema: () => string;
}

const TARGETS_MAX = 10_000;
/** Keys and filters are counted: a filter of 64 kB with its values can become a definition of a megabyte. */
const CHARACTERS_MAX = 64_000_000;

interface CachedTarget {
  readonly relation: Relation;
  readonly target: ShapeTarget;
  readonly characters: number;
}

/** Targets by what was asked; the oldest go first. */
export class DefinitionCache {
  private readonly targets = new Map<string, CachedTarget>();
  private characters = 0;

  get(key: string, relation: Relation): ShapeTarget | undefined {
    const cached = this.targets.get(key);
    return cached?.relation === relation ? cached.target : undefined;
  }

  set(key: string, relation: Relation, target: ShapeTarget): void {
    const characters = key.length + (target.definition.where?.canonical.length ?? 0);
    this.delete(key);
    this.targets.set(key, { relation, target, characters });
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
