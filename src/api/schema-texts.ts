/** SchemaTexts: the `electric-schema` header of each choice of columns, held once for all shapes that select the same of a table. */
import type { Relation } from '../model/relation.ts';
import { schemaHeader } from '../shapes/schema-header.ts';

/** What clients are told of: the columns of a shape, and its table as the catalogue has it now. */
interface Told {
  readonly relation: Relation;
  readonly definition: { readonly columns: readonly string[] };
}

/** Of one table: clients choose, and one who tries every choice must not fill the memory. */
const TEXTS_MAX = 100;

/** Of one table, as it is. */
class TableTexts {
  private readonly byKey = new Map<string, string>();
  /** Shapes that select the same share their list of columns. */
  private readonly byColumns = new WeakMap<readonly string[], string>();

  constructor(private readonly relation: Relation) {}

  of(columns: readonly string[]): string {
    const known = this.byColumns.get(columns);
    if (known !== undefined) return known;
    const key = JSON.stringify(columns);
    const text = this.byKey.get(key) ?? schemaHeader(this.relation, columns);
    if (this.byKey.size >= TEXTS_MAX) this.byKey.clear();
    this.byKey.set(key, text);
    this.byColumns.set(columns, text);
    return text;
  }
}

export class SchemaTexts {
  /** A table that has changed is another relation, and the texts of the old one go with it. */
  private readonly tables = new WeakMap<Relation, TableTexts>();

  of({ relation, definition }: Told): string {
    let texts = this.tables.get(relation);
    if (texts === undefined) this.tables.set(relation, (texts = new TableTexts(relation)));
    return texts.of(definition.columns);
  }
}
