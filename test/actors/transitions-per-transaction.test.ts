import { expect, test } from 'vitest';
import { run, type Script } from '../support/hand-over/hand-over-run.ts';

const TRANSITIONS_MAX = 30;
/** What is larger than a block is followed block by block: so many of them hold 10,000 rows. */
const BLOCKS_MAX = 10;
const TRANSITIONS_PER_BLOCK = 3;

/** How many events all machines together handle for one live transaction of `rowCount` rows, and what comes of it. */
async function follow(rowCount: number) {
  const wishes = Array.from({ length: rowCount }, (_, row) => ({ row, value: String(row), remove: false }));
  const script: Script = { transactions: [{ atStep: 200, lasts: 0, wishes }], materializerAtStep: 0, faults: [], choices: [] };
  const { world } = await run(script);
  const { records, values, view } = world;
  const committed = records.findIndex((record) => record.type === 'deliver' && record.message.type === 'committed');
  const events = records.slice(committed + 1).filter((record) => record.type === 'deliver');
  return { events: events.length, values: values?.counts.size, told: view?.values.size };
}

test('a transaction costs transitions by the block, and none by the row', async () => {
  const [one, many, large] = [await follow(1), await follow(1000), await follow(10_000)];

  const isBounded = large.events <= one.events + BLOCKS_MAX * TRANSITIONS_PER_BLOCK;
  expect({ one, many, large, isBounded, isSmall: one.events <= TRANSITIONS_MAX }).toEqual({
    one: { events: one.events, values: 1, told: 1 },
    many: { events: one.events, values: 1000, told: 1000 },
    large: { events: large.events, values: 10_000, told: 10_000 },
    isBounded: true,
    isSmall: true,
  });
});
