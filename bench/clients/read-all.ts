/** Many shapes, each read to its end by a reader of its own, a bounded number at a time. */
import type { ShapeReader } from '../shape-reader.ts';

const REQUESTS_AT_ONCE = 20;

export async function readAll(readers: readonly ShapeReader[]): Promise<void> {
  const waiting = readers.values();
  const ask = async (): Promise<void> => {
    for (const reader of waiting) {
      await reader.readToEnd();
      reader.close(); // Its connection, not the reader: thousands that are kept would be those of another workload.
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, ask));
}
