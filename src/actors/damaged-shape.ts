/**
 * DamagedShape: what an operator reads when a shape ended because its stored bytes are not what was written.
 *
 * Nothing else would tell: the clients fetch the shape anew and are right again, while a disk may be about to fail.
 */
import type { Handle } from '../model/shape.ts';
import { note } from './journal.ts';

export interface DamagedShape {
  readonly handle: Handle;
  /** With its schema. */
  readonly table: string;
  /** Names what was read, and what did not hold. */
  readonly why: string;
}

export function damagedShapeNote({ handle, table, why }: DamagedShape): ReturnType<typeof note> {
  return note('warn', 'shape.damaged', { handle, table, why, advice: ADVICE });
}

const ADVICE = 'The shape is condemned: its readers fetch a fresh one. Nothing has to be done, but the disk may not be sound.';
