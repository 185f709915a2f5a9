/** Layouts: every relation layout that the log knows, each under an id that is never given to another. */
import type { PartitionLink } from '../../model/partition-link.ts';
import { isLayoutOf, type PublishedRelation, type RelationLayout } from '../../model/relation.ts';

export class Layouts {
  private readonly byId = new Map<number, RelationLayout>();
  private readonly idByKey = new Map<string, number>();
  private nextId = 1;

  get(id: number): RelationLayout | undefined {
    return this.byId.get(id);
  }

  idOf(layout: Omit<RelationLayout, 'id'>): number | undefined {
    return this.idByKey.get(keyOf(layout));
  }

  /** Of the newest; 0 when there is none. */
  get lastId(): number {
    return this.nextId - 1;
  }

  /** What those behind `after`, up to `through`, tell of links below the table of this oid. */
  *linksTold(oid: number, after: number, through: number): Iterable<PartitionLink> {
    for (let id = after + 1; id <= through; id += 1) {
      const { links = [] } = this.byId.get(id) ?? {};
      yield* links.slice(0, links.findIndex(({ parent }) => parent === oid) + 1);
    }
  }

  all(): Iterable<RelationLayout> {
    return this.byId.values();
  }

  /** Those of a table, and of what was made anew under its name. */
  *of(relation: PublishedRelation): Iterable<number> {
    for (const layout of this.byId.values()) if (isLayoutOf(layout, relation)) yield layout.id;
  }

  /** Gives a new layout its id. */
  add(layout: Omit<RelationLayout, 'id'>): RelationLayout {
    const { oid, schema, name, columns, links = [] } = layout;
    const added = { id: this.nextId, oid, schema, name, columns, ...(links.length === 0 ? {} : { links }) };
    this.restore(added);
    return added;
  }

  /** Takes a layout as the log has it; the same one may come again, at the head of a segment. */
  restore(layout: RelationLayout): void {
    this.byId.set(layout.id, layout);
    this.idByKey.set(keyOf(layout), layout.id);
    this.nextId = Math.max(this.nextId, layout.id + 1);
  }

  clone(): Layouts {
    const copy = new Layouts();
    for (const layout of this.byId.values()) copy.restore(layout);
    return copy;
  }
}

function keyOf({ oid, schema, name, columns, links = [] }: Omit<RelationLayout, 'id'>): string {
  const above = links.map(({ child, parent, since }) => [child, parent, since]);
  return JSON.stringify([oid, schema, name, columns.map((column) => [column.name, column.typeOid, column.typeMod]), above]);
}
