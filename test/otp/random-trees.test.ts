/**
 * Random trees, mishaps and orders of delivery. A failing run shrinks to a small tree, few mishaps and a short list of
 * choices, and is played again by giving fast-check the seed and path that it prints.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProcessTree } from '../../src/otp/tree.ts';
import { chronicle, type Chronicle } from './support/chronicle.ts';
import { fate } from './support/random-tree.ts';

const RUNS = 2_000;

test(`in ${RUNS} random fates: one DOWN each, no orphan, nobody stuck or missing, order kept, intensity kept`, async () => {
  await fc.assert(
    fc.asyncProperty(fate, async (lived) => {
      const told = await chronicle(lived);

      expect({
        downs: told.downs.map(({ process }) => String(process)).sort(),
        left: told.left,
        restless: told.restless,
        missing: told.missing,
        outOfOrder: stoppedOutOfOrder(told),
        overtaken: overtaken(told),
        tooManyRestarts: tooManyRestarts(told),
      }).toEqual({ downs: [...told.born].sort(), left: [], restless: [], missing: [], outOfOrder: [], overtaken: [], tooManyRestarts: [] });
    }),
    { numRuns: RUNS },
  );
}, 120_000);

/** Pairs of siblings of which the earlier started one ended first. */
function stoppedOutOfOrder({ alive, stopOrder }: Chronicle): readonly string[] {
  const place = new Map(stopOrder.map((pid, index) => [pid, index]));
  const inspect = ({ children }: ProcessTree): readonly string[] =>
    children.flatMap((child, index) => {
      const next = children[index + 1];
      const isLate = next !== undefined && (place.get(child.pid) ?? 0) < (place.get(next.pid) ?? 0);
      return [...(isLate ? [`${child.pid} before ${next.pid}`] : []), ...inspect(child)];
    });
  return alive.flatMap(inspect);
}

/** Messages that arrived before one that the same process had sent earlier to the same. */
function overtaken({ records }: Chronicle): readonly string[] {
  const sentAt = new Map<unknown, number>();
  const lastOfPair = new Map<string, number>();
  return records.flatMap((record) => {
    if (record.type === 'send') sentAt.set(record.message, record.n);
    if (record.type !== 'deliver' || record.from === record.to) return [];
    const pair = `${record.from} → ${record.to}`;
    const sent = sentAt.get(record.message);
    // EXIT and DOWN become messages only where they arrive.
    if (sent === undefined) return [];
    const isOvertaken = sent < (lastOfPair.get(pair) ?? 0);
    lastOfPair.set(pair, sent);
    return isOvertaken ? [`${pair} ${record.message.type}`] : [];
  });
}

/** Instants at which one supervisor restarted one child more often than any intensity of these trees allows. */
function tooManyRestarts({ records }: Chronicle): readonly string[] {
  const restarts = records.filter((record) => record.type === 'restart');
  return restarts.flatMap(({ supervisor, id, atMs }) => {
    const inWindow = restarts.filter((other) => other.supervisor === supervisor && other.id === id && other.atMs <= atMs && other.atMs > atMs - 5_000);
    return inWindow.length > 4 ? [`${supervisor} ${id}`] : [];
  });
}
