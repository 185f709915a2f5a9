/** ShapeFilters: the filter of each definition, parsed once however many parts of the service need it. */
import { invariant } from '../../base/invariant.ts';
import type { ShapeDefinition } from '../../model/shape.ts';
import { storedFilter, type StoredFilter } from '../../shapes/stored-filter.ts';
import type { Where, WhereLanguage } from '../../sql/where.ts';

export class ShapeFilters {
  private readonly language: WhereLanguage;
  private readonly parsed = new WeakMap<ShapeDefinition, StoredFilter>();

  constructor(language: WhereLanguage) {
    this.language = language;
  }

  /** Undefined for every row. */
  of(definition: ShapeDefinition): Where | undefined {
    const filter = this.read(definition);
    invariant('where' in filter, 'no process is started for a shape whose filter is not accepted');
    return filter.where;
  }

  /** Why this version does not take the filter of a stored definition; undefined for one that it takes. */
  faultOf(definition: ShapeDefinition): string | undefined {
    const filter = this.read(definition);
    return 'error' in filter ? filter.error : undefined;
  }

  private read(definition: ShapeDefinition): StoredFilter {
    const known = this.parsed.get(definition) ?? storedFilter(definition, this.language);
    this.parsed.set(definition, known);
    return known;
  }
}
