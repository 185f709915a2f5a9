/**
 * PublishedTables: which shapes need which table in the publication. The publication manager's table.
 *
 * Only this count decides whether a table is published; a table counts as published once Postgres has said so, and until
 * a change of it came without its old row: then somebody has altered its replica identity, and Postgres is asked again.
 */
import type { GapCause } from '../model/change.ts';
import type { Handle } from '../model/shape.ts';
import type { Message, Name, ReplyTo, Table } from '../otp/process.ts';
import { consumerOf } from './shape-processes.ts';

export interface TableName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export type PublishedTablesChange =
  | { readonly type: 'need'; readonly handle: Handle; readonly relation: TableName; readonly asked: readonly ReplyTo[] }
  | { readonly type: 'published'; readonly oid: number }
  | { readonly type: 'release'; readonly handle: Handle; readonly why: string }
  /** What Postgres says is published; tells which Consumers hear nothing any more. */
  | { readonly type: 'compare'; readonly tables: readonly TableName[] };

const WITHOUT_OLD_ROWS: GapCause = 'replicaIdentity';

/** Told of a table that is not published any more: it may be gone, or another one under its name. */
export interface LostTableListener {
  lost(relation: TableName): void;
}

export class PublishedTables implements Table<PublishedTablesChange> {
  private readonly listener: LostTableListener;
  private readonly needs = new Map<Handle, TableName>();
  private readonly users = new Map<number, Set<Handle>>();
  private readonly published = new Set<number>();
  /** Published, but without their old rows. */
  private readonly doubted = new Set<number>();

  constructor(listener: LostTableListener) {
    this.listener = listener;
  }

  apply(change: PublishedTablesChange): Message | undefined {
    switch (change.type) {
      case 'need':
        return this.need(change.handle, change.relation, change.asked);
      case 'published':
        this.published.add(change.oid);
        this.doubted.delete(change.oid);
        return undefined;
      case 'release':
        return this.release(change.handle, change.why);
      case 'compare':
        return this.compare(change.tables);
    }
  }

  clone(): PublishedTables {
    const copy = new PublishedTables(this.listener);
    for (const [handle, relation] of this.needs) copy.enter(handle, relation);
    for (const oid of this.published) copy.published.add(oid);
    for (const oid of this.doubted) copy.doubted.add(oid);
    return copy;
  }

  key(): string {
    return JSON.stringify([[...this.needs].sort(), [...this.published].sort(), [...this.doubted].sort()]);
  }

  /** A table that was taken out, dropped, or made anew under its name: what happened since is lost to its shapes. */
  private compare(tables: readonly TableName[]): Message {
    const present = new Set(tables.map(identity));
    const consumers: Name[] = [];
    for (const oid of [...this.published]) {
      for (const handle of this.users.get(oid) ?? []) {
        const relation = this.needs.get(handle);
        if (relation === undefined || present.has(identity(relation))) continue;
        consumers.push(consumerOf(handle));
        this.listener.lost(relation);
        this.published.delete(oid);
      }
    }
    return { type: 'relations.compared', consumers };
  }

  private need(handle: Handle, relation: TableName, asked: readonly ReplyTo[]): Message {
    this.enter(handle, relation);
    const isPublished = this.published.has(relation.oid) && !this.doubted.has(relation.oid);
    return { type: isPublished ? 'relation.isPublished' : 'relation.isMissing', relation, asked };
  }

  private enter(handle: Handle, relation: TableName): void {
    this.needs.set(handle, relation);
    const users = this.users.get(relation.oid) ?? new Set();
    users.add(handle);
    this.users.set(relation.oid, users);
  }

  private release(handle: Handle, why: string): Message | undefined {
    const relation = this.needs.get(handle);
    if (relation === undefined) return undefined;
    if (why === WITHOUT_OLD_ROWS) this.doubted.add(relation.oid);
    this.needs.delete(handle);
    const users = this.users.get(relation.oid);
    users?.delete(handle);
    if (users !== undefined && users.size > 0) return undefined;
    this.users.delete(relation.oid);
    this.doubted.delete(relation.oid);
    return this.published.delete(relation.oid) ? { type: 'relation.isUnused', relation } : undefined;
  }
}

function identity({ oid, schema, name }: TableName): string {
  return JSON.stringify([oid, schema, name]);
}
