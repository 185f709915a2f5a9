/** Shapes that are asked for as by many clients at once, a bounded number at a time. */
import type { ShapeReader } from '../shape-reader.ts';

const REQUESTS_AT_ONCE = 20;

/** Each reads to its end. */
export async function createShapes(readers: readonly ShapeReader[]): Promise<void> {
  const waiting = readers.values();
  const ask = async (): Promise<void> => {
    for (const reader of waiting) await reader.readToEnd();
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, ask));
}
