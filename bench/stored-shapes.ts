/** Shapes for a service to store: ten on a table, each with a filter of its own; and what both benchmarks of restarts ask of them. */
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
import { pause } from '../src/base/pause.ts';
import type { ServiceProcess } from '../test/support/service/service-process.ts';

export const SHAPES_PER_TABLE = 10;
const REQUESTS_AT_ONCE = 40;
const PATIENCE_MS = 600_000;
const ASK_EVERY_MS = 20;

/** In one transaction, `prefix_0` and so on. */
export function createTables(database: { query(text: string): Promise<unknown> }, prefix: string, count: number): Promise<unknown> {
  return database.query(`
    DO $$ BEGIN
      FOR i IN 0..${count - 1} LOOP EXECUTE format('CREATE TABLE ${prefix}_%s (id int PRIMARY KEY, body text)', i); END LOOP;
    END $$`);
}

/** Those from `from` to, not including, `to`. */
export async function createShapes({ shapeUrl }: ServiceProcess, from: number, to: number): Promise<void> {
  let next = from;
  const ask = async (): Promise<void> => {
    while (next < to) {
      const index = next;
      next += 1;
      const response = await fetch(shapeOn(shapeUrl, `table_${Math.floor(index / SHAPES_PER_TABLE)}`, index % SHAPES_PER_TABLE));
      await response.text();
      invariant(response.status === 200, `shape ${index} is made: ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, ask));
}

export function shapeOn(shapeUrl: string, table: string, nth = 0): string {
  return `${shapeUrl}?table=${table}&offset=-1&where=${encodeURIComponent(`id > ${nth}`)}`;
}

export async function until(isSo: () => Promise<boolean>, { child, output }: ServiceProcess): Promise<void> {
  const deadlineMs = systemClock.nowMs() + PATIENCE_MS;
  while (!(await isSo())) {
    invariant(systemClock.nowMs() < deadlineMs && child.exitCode === null, `the service goes on; it printed:\n${output().slice(-2000)}`);
    await pause(systemClock, ASK_EVERY_MS);
  }
}

export function secondsSince(startedMs: number): string {
  return `${((systemClock.nowMs() - startedMs) / 1000).toFixed(2)} s`;
}
