import { expect, test } from 'vitest';
import { RouterTable } from '../../src/actors/router-table.ts';
import type { LogPosition } from '../../src/model/log-position.ts';
import type { RoutedBlock } from '../../src/shapes/router.ts';
import { blockOf } from '../support/changes.ts';
import { handleOf } from '../support/shapes.ts';

const RANGE = { after: 0 as LogPosition, through: 0 as LogPosition };

/** Routes every block to every shape that it has; a shape that it has twice is told twice. */
function tableOf() {
  const shapes: string[] = [];
  const routing = {
    add: (handle: string) => void shapes.push(handle),
    remove: (handle: string) => void shapes.splice(shapes.indexOf(handle), 1),
    route: (): RoutedBlock => new Map(shapes.map((handle) => [handle as never, { changes: new Uint32Array() }])),
  };
  return { shapes, table: new RouterTable(routing, { get: () => blockOf([]) }) };
}

test('a shape whose Consumer began anew is routed once, and one that is gone no more', () => {
  const { shapes, table } = tableOf();
  for (const add of [handleOf(1), handleOf(2), handleOf(1)]) table.apply({ add });
  for (const remove of [handleOf(2), handleOf(9)]) table.apply({ remove });

  expect(shapes).toEqual([handleOf(1)]);
});

test('a block is there for those whom it touches while it is delivered', () => {
  const { table } = tableOf();
  table.apply({ add: handleOf(1) });
  const told = table.apply({ route: RANGE });
  const delivery = table.deliveryTo(handleOf(1), RANGE);

  expect({ told, recipients: [...table.recipients()], delivery }).toEqual({
    told: { type: 'block.routed', touched: 1 },
    recipients: ['@consumer/1-1'],
    delivery: { block: blockOf([]), changes: { changes: new Uint32Array() } },
  });
});

test('recipients that did not take a block are told as shapes', () => {
  const { table } = tableOf();
  for (const add of [handleOf(1), handleOf(2), handleOf(3)]) table.apply({ add });
  table.apply({ route: RANGE });

  const told = table.apply({ unanswered: ['@consumer/3-1', '@consumer/1-1'] });

  expect(told).toEqual({ type: 'block.notTaken', handles: [handleOf(1), handleOf(3)] });
});

test('a block that was let go is nobody’s any more', () => {
  const { table } = tableOf();
  table.apply({ add: handleOf(1) });
  table.apply({ route: RANGE });
  table.apply('letGo');

  expect(() => table.deliveryTo(handleOf(1), RANGE)).toThrow('a block is asked for while it is delivered');
});
