/**
 * Clients from npm that follow a shape with a subquery, each by its own way of learning that a row has left. Values stay the
 * text of the wire, so that all of them are compared with one SELECT.
 */
import { Shape, ShapeStream, type ExternalParamsRecord, type Row } from '@electric-sql/client';
import { createCollection } from '@tanstack/db';
import { electricCollectionOptions } from '@tanstack/electric-db-collection';
import { TagFoldingClient } from '../shapes/tag-folding-client.ts';

type Child = Readonly<Record<string, string | null>>;

export interface RealClient {
  /** What it holds by now, in no order. */
  rows(): Row[];
}

export interface Followed {
  readonly url: string;
  readonly params: ExternalParamsRecord;
  /** Aborted when the client should leave. */
  readonly signal: AbortSignal;
}

const parser = { int4: (text: string) => text };

/** A collection of TanStack DB: folds tags by itself. */
export function followByCollection({ url, params, signal }: Followed): RealClient {
  const shapeOptions = { url, params, signal, parser };
  const collection = createCollection(electricCollectionOptions({ shapeOptions, getKey: ({ id }: Row) => String(id) }));
  collection.startSyncImmediate();
  return { rows: () => collection.toArray.map(withoutOwnFields) };
}

/** TanStack DB adds fields of its own, whose names begin with a dollar. */
function withoutOwnFields(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('$')));
}

/** A raw stream, whose subscriber folds tags and keeps account of what it was told. */
export class FoldingSubscriber implements RealClient {
  readonly fold = new TagFoldingClient();
  /** Of what it was told: operations, events, controls. */
  readonly kinds = new Set<string>();

  constructor({ url, params, signal }: Followed) {
    const stream = new ShapeStream<Child>({ url, params, signal, parser });
    stream.subscribe((messages) => {
      for (const message of messages) this.take(message);
    });
  }

  rows(): Row[] {
    return [...this.fold.rows.values()];
  }

  private take(message: Parameters<TagFoldingClient['take']>[0]): void {
    this.fold.take(message);
    const { headers } = message;
    this.kinds.add('operation' in headers ? headers.operation : 'event' in headers ? headers.event : headers.control);
  }
}

/** `Shape`, which looks at no tag: its stream must ask for deletes. */
export function followByShape({ url, params, signal }: Followed): RealClient {
  const stream = new ShapeStream<Child>({ url, params, signal, parser });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  const shape = new Shape<Child>(stream);
  return { rows: () => shape.currentRows };
}
