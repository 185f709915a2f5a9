/**
 * ShapeFilters: the filter of each definition, parsed once for all parts of the service that need it at about the same time. Who needs it
 * for longer holds it; of a shape that nothing touches nobody does, for it is larger than all else that there is of one.
 */
import { invariant } from '../../base/invariant.ts';
import type { ShapeDefinition } from '../../model/shape.ts';
import { storedFilter, type StoredFilter } from '../../shapes/stored-filter.ts';
import type { Where, WhereLanguage } from '../../sql/where.ts';

/** Of definitions that were parsed last. A shape begins in much less time than so many others. */
const PARSED_MAX = 1_000;

export class ShapeFilters {
  private readonly language: WhereLanguage;
  /** In the order in which they were parsed. */
  private readonly parsed = new Map<ShapeDefinition, StoredFilter>();

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
    const known = this.parsed.get(definition);
    if (known !== undefined) return known;
    const filter = storedFilter(definition, this.language);
    this.parsed.set(definition, filter);
    const [oldest] = this.parsed.size > PARSED_MAX ? this.parsed.keys() : [];
    if (oldest !== undefined) this.parsed.delete(oldest);
    return filter;
  }
}
