/** ShapeFilters: the filter of each definition, parsed once however many parts of the service need it. */
import type { ShapeDefinition } from '../../model/shape.ts';
import { storedWhere } from '../../shapes/shape-request.ts';
import type { Where, WhereLanguage } from '../../sql/where.ts';

export class ShapeFilters {
  private readonly language: WhereLanguage;
  private readonly parsed = new WeakMap<ShapeDefinition, { readonly where: Where | undefined }>();

  constructor(language: WhereLanguage) {
    this.language = language;
  }

  /** Undefined for every row. */
  of(definition: ShapeDefinition): Where | undefined {
    const known = this.parsed.get(definition) ?? { where: storedWhere(definition, this.language) };
    this.parsed.set(definition, known);
    return known.where;
  }
}
