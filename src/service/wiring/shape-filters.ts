/**
 * ShapeFilters: the filter of each definition, parsed once for all parts of the service that need it at about the same time. Who needs it
 * for longer holds it; of a shape that nothing touches nobody does, for it is larger than all else that there is of one.
 */
import { invariant } from '../../base/invariant.ts';
import type { ParsedFilters } from '../../api/ports.ts';
import type { ShapeDefinition, WhereSource } from '../../model/shape.ts';
import type { StoredFilter } from '../../shapes/stored-filter.ts';
import { StoredFilters } from '../../shapes/stored-filters.ts';
import type { FamilyLanguage } from '../../sql/filter-family.ts';
import type { Where, WhereLanguage } from '../../sql/where.ts';

/** Of definitions that were parsed last. A shape begins in much less time than so many others. */
const PARSED_MAX = 1_000;
/** Of them all, as they are written: parsed, a filter takes some thirty times as much. The last one is there in any case. */
const CHARACTERS_MAX = 1_000_000;

const EVERY_ROW: StoredFilter = { where: undefined };

export class ShapeFilters implements ParsedFilters {
  private readonly stored: StoredFilters;
  /** By what a definition has of them, which its copies share, in the order in which they were parsed. */
  private readonly parsed = new Map<WhereSource, StoredFilter>();
  private characters = 0;

  constructor(language: WhereLanguage & FamilyLanguage) {
    this.stored = new StoredFilters(language);
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

  /**
   * That of a definition which was made of it just now. It means the same as one that is parsed as it is stored: the columns that it reads
   * are in the definition as the catalogue has them. One with subqueries is parsed again, by the definitions of its inner shapes.
   */
  keep({ where: source }: ShapeDefinition, where: Where): void {
    if (source !== undefined && where.subqueries === undefined) this.enter(source, { where });
  }

  private read(definition: ShapeDefinition): StoredFilter {
    const { where: source } = definition;
    if (source === undefined) return EVERY_ROW;
    return this.parsed.get(source) ?? this.enter(source, this.stored.of(definition));
  }

  private enter(source: WhereSource, filter: StoredFilter): StoredFilter {
    this.forget(source);
    this.parsed.set(source, filter);
    this.characters += charactersOf(source);
    for (const oldest of this.parsed.keys()) {
      const areFew = this.parsed.size <= PARSED_MAX && this.characters <= CHARACTERS_MAX;
      if (areFew || oldest === source) break;
      this.forget(oldest);
    }
    return filter;
  }

  private forget(source: WhereSource): void {
    if (this.parsed.delete(source)) this.characters -= charactersOf(source);
  }
}

function charactersOf({ text, params, canonical }: WhereSource): number {
  return params.reduce((sum, { length }) => sum + length, text.length + canonical.length);
}
