/** Reads a shape to its end when it is told to, apart from who measures something else meanwhile. `{ table }` is answered by `{ rows }`. */
import { ShapeReader } from '../shape-reader.ts';

const [, , url = ''] = process.argv;

process.on('message', ({ table }: { table: string }) => void read(table));
process.send?.({ ready: 1 });

async function read(table: string): Promise<void> {
  const reader = new ShapeReader(url, { table });
  await reader.readToEnd();
  process.send?.({ rows: reader.rows });
}
