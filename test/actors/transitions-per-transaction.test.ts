import { expect, test } from 'vitest';
import { run, type Script } from '../support/hand-over/hand-over-run.ts';

const TRANSITIONS_MAX = 30;

/** How many events all machines together handle for one live transaction of `rowCount` rows, and what comes of it. */
async function follow(rowCount: number) {
  const wishes = Array.from({ length: rowCount }, (_, row) => ({ row, value: String(row), remove: false }));
  const script: Script = { transactions: [{ atStep: 200, lasts: 0, wishes }], materializerAtStep: 0, faults: [], choices: [] };
  const { world } = await run(script);
  const { records, values, view } = world;
  const committed = records.findIndex((record) => record.type === 'deliver' && record.message.type === 'committed');
  const events = records.slice(committed + 1).filter((record) => record.type === 'deliver');
  return { events: events.length, values: values?.values.size, told: view?.values.size };
}

test('a transaction of 10,000 rows costs no more transitions than one of a single row', async () => {
  const [one, many] = [await follow(1), await follow(10_000)];

  expect({ one, many, isWithinBound: many.events <= TRANSITIONS_MAX }).toEqual({
    one: { events: one.events, values: 1, told: 1 },
    many: { events: one.events, values: 10_000, told: 10_000 },
    isWithinBound: true,
  });
});
