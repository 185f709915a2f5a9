/**
 * Tables that are others than they were, and to whom nobody writes: the stream tells of an alteration with the next row alone, and of some
 * never. So whoever reviews the tables that are followed has the shapes held against what the catalogue says by now.
 */
import type { FoundTable } from '../../model/found-table.ts';
import type { Handle } from '../../model/shape.ts';
import { alteringOf } from '../../shapes/altered-table.ts';
import type { ServiceResources } from '../service-resources.ts';

/** In the operator's words. */
const ALTERED = 'the table was altered in what the shape has of it';

type Altered = Pick<ServiceResources, 'storage' | 'runtime' | 'database'>;

/** @returns whether there were shapes that cannot go on. */
export function condemnAltered({ storage, runtime, database: { catalog } }: Altered, tables: readonly FoundTable[]): boolean {
  for (const table of tables) catalog.doubt(table); // Before anybody is sent away: who comes back is to find it as it is.
  const altering = new Map(tables.map((table) => [table.oid, alteringOf(table)]));
  const handles: Handle[] = [];
  for (const { handle, definition } of storage.shapes.all()) {
    if (altering.get(definition.relation.oid)?.(definition) === true) handles.push(handle);
  }
  if (handles.length > 0) runtime.send('@shape-cache', { type: 'condemnShapes', handles, why: ALTERED });
  return handles.length > 0;
}
