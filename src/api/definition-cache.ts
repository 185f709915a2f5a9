/** What requests asked for, worked out once: live clients ask the same again and again. */
import type { Clock } from '../base/clock.ts';
import { RecentMap } from '../base/recent-map.ts';
import { DefinitionParts } from '../model/definition-parts.ts';
import type { Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import type { RelationName } from '../sql/identifiers.ts';
import type { DefinitionParameters } from './shape-parameters.ts';

export interface ShapeTarget {
  readonly definition: ShapeDefinition;
  /** Its table, as the catalogue has it. */
  readonly relation: Relation;
}

const TARGETS_MAX = 10_000;
/** Keys and filters are counted: a filter of 64 kB with its values can become a definition of a megabyte. */
const CHARACTERS_MAX = 64_000_000;
/** Whoever follows a shape asks again well within this. */
const IDLE_MS_MAX = 120_000;

interface CachedTarget extends ShapeTarget {
  /** What subqueries of its filter select from. */
  readonly inner: readonly Relation[];
}

const NONE: readonly Relation[] = [];

/** Targets by what was asked; those go first that nobody has asked for. */
export class DefinitionCache {
  private readonly targets: RecentMap<CachedTarget>;
  private readonly parts = new DefinitionParts();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.targets = new RecentMap(clock, { countMax: TARGETS_MAX, weightMax: CHARACTERS_MAX, idleMsMax: IDLE_MS_MAX });
  }

  /** The same, before it is kept here and in its shape's log. */
  shared(definition: ShapeDefinition): ShapeDefinition {
    return this.parts.shared(definition);
  }

  /** @param inner what subqueries of its filter select from. */
  get(key: string, relation: Relation, inner: readonly Relation[]): ShapeTarget | undefined {
    const cached = this.targets.get(key);
    const isSame = cached?.relation === relation && cached.inner.length === inner.length;
    return isSame && cached.inner.every((each, at) => each === inner[at]) ? cached : undefined;
  }

  /** The target of what was asked before, as long as each of its tables is what it was. */
  known(parameters: DefinitionParameters, isCurrent: (relation: Relation) => boolean): ShapeTarget | undefined {
    const cached = this.targets.get(askedKey(parameters));
    return cached !== undefined && isCurrent(cached.relation) && cached.inner.every(isCurrent) ? cached : undefined;
  }

  /** What subqueries select from, known without reading the filter again; undefined when it was not worked out yet. */
  innerTables(key: string): readonly RelationName[] | undefined {
    return this.targets.get(key)?.inner;
  }

  /** @param inner what subqueries of its filter select from. */
  set(key: string, { definition, relation }: ShapeTarget, inner: readonly Relation[]): void {
    const kept = inner.length === 0 ? NONE : inner;
    this.targets.set(key, { definition, relation, inner: kept }, key.length + charactersIn(definition));
  }
}

const askedKeys = new WeakMap<DefinitionParameters, string>();

/** Equal for what was asked in the same words. */
export function askedKey(parameters: DefinitionParameters): string {
  const known = askedKeys.get(parameters);
  if (known !== undefined) return known;
  const key = JSON.stringify(parameters);
  askedKeys.set(parameters, key);
  return key;
}

/** Of its filter, and of what an inner shape has a copy of. */
function charactersIn({ where, dependencies = [] }: ShapeDefinition): number {
  return dependencies.reduce((sum, { shape }) => {
    const copied = [shape.where?.text ?? '', ...(shape.where?.params ?? [])];
    return sum + charactersIn(shape) + copied.reduce((size, text) => size + text.length, 0);
  }, where?.canonical.length ?? 0);
}
