/**
 * PublishedTables: which shapes need which table in the publication. The publication manager's table.
 *
 * Only this count decides whether a table is published; a table counts as published once Postgres has said so.
 */
import type { Handle } from '../model/shape.ts';
import type { Message, ReplyTo, Table } from '../otp/process.ts';

export interface TableName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export type PublishedTablesChange =
  | { readonly type: 'need'; readonly handle: Handle; readonly relation: TableName; readonly asked: readonly ReplyTo[] }
  | { readonly type: 'published'; readonly oid: number }
  | { readonly type: 'release'; readonly handle: Handle }
  | { readonly type: 'doubt' };

export class PublishedTables implements Table<PublishedTablesChange> {
  private readonly needs = new Map<Handle, TableName>();
  private readonly users = new Map<number, Set<Handle>>();
  private readonly published = new Set<number>();

  apply(change: PublishedTablesChange): Message | undefined {
    switch (change.type) {
      case 'need':
        return this.need(change.handle, change.relation, change.asked);
      case 'published':
        this.published.add(change.oid);
        return undefined;
      case 'release':
        return this.release(change.handle);
      case 'doubt':
        this.published.clear();
        return undefined;
    }
  }

  clone(): PublishedTables {
    const copy = new PublishedTables();
    for (const [handle, relation] of this.needs) copy.enter(handle, relation);
    for (const oid of this.published) copy.published.add(oid);
    return copy;
  }

  key(): string {
    return JSON.stringify([[...this.needs].sort(), [...this.published].sort()]);
  }

  private need(handle: Handle, relation: TableName, asked: readonly ReplyTo[]): Message {
    this.enter(handle, relation);
    const type = this.published.has(relation.oid) ? 'relation.isPublished' : 'relation.isMissing';
    return { type, relation, asked };
  }

  private enter(handle: Handle, relation: TableName): void {
    this.needs.set(handle, relation);
    const users = this.users.get(relation.oid) ?? new Set();
    users.add(handle);
    this.users.set(relation.oid, users);
  }

  private release(handle: Handle): Message | undefined {
    const relation = this.needs.get(handle);
    if (relation === undefined) return undefined;
    this.needs.delete(handle);
    const users = this.users.get(relation.oid);
    users?.delete(handle);
    if (users !== undefined && users.size > 0) return undefined;
    this.users.delete(relation.oid);
    return this.published.delete(relation.oid) ? { type: 'relation.isUnused', relation } : undefined;
  }
}
