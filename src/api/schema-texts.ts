/** SchemaTexts: the `electric-schema` header of each choice of columns, held once for all shapes that select the same of a table. */
import type { Relation } from '../model/relation.ts';
import { schemaHeader } from '../shapes/schema-header.ts';

/** Of one table: clients choose, and one who tries every choice must not fill the memory. */
const TEXTS_MAX = 100;

export class SchemaTexts {
  /** A table that has changed is another relation, and the texts of the old one go with it. */
  private readonly tables = new WeakMap<Relation, Map<string, string>>();

  of(relation: Relation, columns: readonly string[]): string {
    const texts = this.tables.get(relation) ?? new Map<string, string>();
    this.tables.set(relation, texts);
    const key = JSON.stringify(columns);
    const text = texts.get(key) ?? schemaHeader(relation, columns);
    if (texts.size >= TEXTS_MAX) texts.clear();
    texts.set(key, text);
    return text;
  }
}
