/** What is opened at the start is given back, whatever else fails. */
import { expect, test } from 'vitest';
import { Closing } from '../../src/service/closing.ts';

test('what cannot be closed keeps nothing else open, and the first failure is told', async () => {
  const closing = new Closing();
  const order: string[] = [];
  const step = (name: string, failure?: string) => async () => {
    order.push(`${name}: ${closing.waitsFor}`);
    await Promise.resolve();
    if (failure !== undefined) throw new Error(failure);
  };
  const tenure = new Closing();
  closing.add('database', step('database'));
  closing.addAll(tenure);
  tenure.add('pools', step('pools', 'the second'));
  tenure.add('storage', step('storage', 'the first'));
  closing.add('tree', step('tree'));

  const told = await closing.all().catch((error: Error) => error.message);

  expect({ told, order, left: closing.waitsFor }).toEqual({
    told: 'the first',
    order: ['tree: tree', 'storage: storage', 'pools: pools', 'database: database'],
    left: undefined,
  });
});
