/** What it costs to find the shapes of a change among many, and what an entry for one of them takes of the memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { invariant } from '../../src/base/invariant.ts';
import type { LogBlock } from '../../src/model/transaction.ts';
import { ShapeRouter } from '../../src/shapes/shape-router.ts';
import type { Where } from '../../src/sql/where.ts';
import { blockOf, transactionOf, type Row } from '../../test/support/actors/changes.ts';
import { routeWhole } from '../../test/support/route-whole.ts';
import { handleOf, shapeOf } from '../../test/support/shapes.ts';
import { layout } from './families.ts';

/** Of so many rounds the quickest is told: the machine has other work. */
const ROUNDS = 5;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** As many as the fewest shapes: so a change is as often the first of its block for a shape, whatever number of shapes there are. */
const BLOCK_CHANGES = 10;

/** Inserts, in small blocks. */
export function blocksOf(rows: readonly Row[]): readonly LogBlock[] {
  return Array.from({ length: Math.ceil(rows.length / BLOCK_CHANGES) }, (_, index) => {
    const part = rows.slice(index * BLOCK_CHANGES, (index + 1) * BLOCK_CHANGES);
    return blockOf([transactionOf({ xid: 7, lsn: '100' }, part.map((row) => ({ kind: 'insert', new: row })))]);
  });
}

/** @returns the router, and what it takes for each shape besides the filters. */
export function filledRouter(filters: readonly Where[]): { readonly router: ShapeRouter; readonly bytesPerShape: number } {
  const router = new ShapeRouter(() => layout);
  const definition = shapeOf({}, layout);
  const before = heapBytes();
  for (const [index, where] of filters.entries()) router.add(handleOf(index), definition, where);
  return { router, bytesPerShape: (heapBytes() - before) / filters.length };
}

/** Processor time for each change. @param found how many times changes are found to be a shape's, for the proof. */
export function microsPerChange(router: ShapeRouter, blocks: readonly LogBlock[], changes: number, found: number): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    const layers = blocks.flatMap((block) => routeWhole(router, block));
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / changes);
    const count = layers.flatMap((layer) => [...layer.values()]).reduce((sum, routed) => sum + routed.changes.length / 3, 0);
    invariant(count === found, `of ${changes} changes ${found} are a shape's, not ${count}`);
  }
  return best;
}

export function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
