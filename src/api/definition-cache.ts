/** What requests asked for, worked out once: live clients ask the same again and again. */
import type { Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';

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
