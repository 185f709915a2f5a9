/**
 * StoredFilters: the filters of many stored definitions. Those that differ in their constants alone are worked out once for all of them
 * (`FilterFamily`); of each, only its canonical text is made then, to be held against the one that was stored.
 */
import { areAlike } from '../base/alike.ts';
import { invariant } from '../base/invariant.ts';
import type { ShapeDefinition, WhereSource } from '../model/shape.ts';
import type { FamilyLanguage, FilterFamily } from '../sql/filter-family.ts';
import { partsOf } from '../sql/syntax/text-constants.ts';
import type { Where, WhereLanguage } from '../sql/where.ts';
import { storedFamily, storedFilter, type StoredFilter } from './stored-filter.ts';

/** Those that were asked for longest ago go. One takes some thirty times as much as its text. */
const FAMILIES_MAX = 500;
const CHARACTERS_MAX = 50_000;

interface Known {
  /** The first definition: the others have in common with it what a filter's meaning hangs on. */
  readonly definition: ShapeDefinition;
  /** `once`: it was asked for once, and to learn it takes two more filters. `none`: such texts are parsed one by one. */
  readonly family: FilterFamily | 'once' | 'none';
}

export class StoredFilters {
  /** By table and template, that which was asked for longest ago first. */
  private readonly known = new Map<string, Known>();
  private characters = 0;

  constructor(private readonly language: WhereLanguage & FamilyLanguage) {}

  /** As `storedFilter` has it. */
  of(definition: ShapeDefinition): StoredFilter {
    const { where, dependencies } = definition;
    const parts = where === undefined || dependencies !== undefined || !isPlain(where) ? undefined : partsOf(where.text);
    if (where === undefined || parts === undefined || parts.constants.length === 0) return storedFilter(definition, this.language);
    const family = this.familyOf(`${definition.relation.oid} ${parts.template}`, parts.template, definition);
    const member = family?.member(parts.constants, () => this.whole(definition));
    return member?.canonical === where.canonical ? { where: member } : storedFilter(definition, this.language);
  }

  private whole(definition: ShapeDefinition): Where {
    const filter = storedFilter(definition, this.language);
    invariant('where' in filter && filter.where !== undefined, 'what belongs to a family of filters is accepted');
    return filter.where;
  }

  private familyOf(key: string, template: string, definition: ShapeDefinition): FilterFamily | undefined {
    const known = this.known.get(key);
    if (known === undefined || !meansTheSame(known.definition, definition)) {
      this.note(key, { definition, family: 'once' });
      return undefined;
    }
    const family = known.family === 'once' ? storedFamily(definition, template, this.language) ?? 'none' : known.family;
    this.note(key, family === known.family ? known : { definition, family });
    return family === 'none' ? undefined : family;
  }

  private note(key: string, known: Known): void {
    if (!this.known.delete(key)) this.characters += key.length;
    this.known.set(key, known);
    while (this.known.size > FAMILIES_MAX || this.characters > CHARACTERS_MAX) {
      const [oldest] = this.known.keys();
      if (oldest === undefined || oldest === key) break;
      this.known.delete(oldest);
      this.characters -= oldest.length;
    }
  }
}

/** Time zones are of constants that no family has. */
function isPlain({ params, zones }: WhereSource): boolean {
  return params.length === 0 && zones === undefined;
}

/** Whether the same text would be the same filter. Definitions of one table share their parts. */
function meansTheSame(left: ShapeDefinition, right: ShapeDefinition): boolean {
  return areAlike(left.reads, right.reads) && areAlike(left.relation, right.relation)
    && areAlike(left.where?.collation, right.where?.collation) && areAlike(left.where?.collations, right.where?.collations)
    && left.where?.version === right.where?.version;
}
