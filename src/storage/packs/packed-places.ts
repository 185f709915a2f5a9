/** Packed places: what the state of a shape counts of packs. */
import { packPlaceOf } from '../shapes/line-tail.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import type { PackPlace } from './pack-paths.ts';

/** Of its snapshot, and of the tail of its lines. */
export function placesOf({ snapshot, lines: { tail = [] } }: Pick<ShapeState, 'snapshot' | 'lines'>): readonly PackPlace[] {
  const rows = snapshot.state === 'complete' ? snapshot.packed : undefined;
  const blocks = tail.map(packPlaceOf);
  return rows === undefined ? blocks : [rows, ...blocks];
}
