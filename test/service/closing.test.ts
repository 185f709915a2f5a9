/** What is opened at the start is given back, whatever else fails. */
import { expect, test } from 'vitest';
import { Closing } from '../../src/service/closing.ts';

test('what cannot be closed keeps nothing else open, and the first failure is told', async () => {
  const closing = new Closing();
  const order: string[] = [];
  const step = (name: string, failure?: string) => async () => {
    order.push(name);
    await Promise.resolve();
    if (failure !== undefined) throw new Error(failure);
  };
  closing.add(step('database'));
  closing.add(step('pools', 'the second'));
  closing.add(step('storage', 'the first'));
  closing.add(step('tree'));

  const told = await closing.all().catch((error: Error) => error.message);

  expect({ told, order }).toEqual({ told: 'the first', order: ['tree', 'storage', 'pools', 'database'] });
});
