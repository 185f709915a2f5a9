import { describe, expect, test } from 'vitest';
import { RouterTable } from '../../../src/actors/collector/router-table.ts';
import { uncopied } from '../../../src/base/fork.ts';
import { LOG_START, type LogPosition } from '../../../src/model/log-position.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { changesFor, Deliveries, type DeliveryId } from '../../../src/shapes/delivery.ts';
import type { Layer } from '../../../src/shapes/router.ts';
import { blockOf, transactionOf } from '../../support/actors/changes.ts';
import { handleOf } from '../../support/shapes.ts';

const RANGE = { after: 0 as LogPosition, through: 0 as LogPosition };
const CHANGES = { changes: new Uint32Array() };
const clone = uncopied('a routing of this test');

/** Routes every block to every shape that it has, in one layer or in one for each; a shape that it has twice is told twice. */
function tableOf(
  pace: 'together' | 'one by one' = 'together',
  positionOf: (handle: Handle) => LogPosition | undefined = () => LOG_START,
  restsAt: (handle: Handle) => LogPosition | undefined = () => undefined,
) {
  const shapes: Handle[] = [];
  const deliveries = new Deliveries();
  const layer = (handles: readonly Handle[]): Layer => new Map(handles.map((handle) => [handle, CHANGES]));
  const routing = {
    add: (handle: Handle) => void shapes.push(handle),
    remove: (handle: Handle) => void shapes.splice(shapes.indexOf(handle), 1),
    begin: () => {},
    step: () => (pace === 'together' ? [layer(shapes)] : shapes.map((handle) => layer([handle]))).filter(({ size }) => size > 0),
    shapesOn: () => new Set(shapes),
    positionOf,
    restsAt,
    clone,
  };
  const loaded = { isOpen: true, take: () => blockOf([]), close: () => void (loaded.isOpen = false), clone };
  return { shapes, deliveries, loaded, table: new RouterTable(routing, loaded, deliveries) };
}

test('a shape whose Consumer began anew is routed once, and one that is gone no more', () => {
  const { shapes, table } = tableOf();
  for (const add of [handleOf(1), handleOf(2), handleOf(1)]) table.apply({ add });
  for (const remove of [handleOf(2), handleOf(9)]) table.apply({ remove });

  expect(shapes).toEqual([handleOf(1)]);
});

test('a shape that is gone when its Consumer’s request to be registered comes is not kept', () => {
  const { shapes, table } = tableOf('together', (handle) => (handle === handleOf(1) ? undefined : LOG_START));
  const before = table.key();

  table.apply({ add: handleOf(1) });

  expect({ shapes, key: table.key() }).toEqual({ shapes: [], key: before });
});

test('tables that route to the same shapes in another order differ', () => {
  const orders = [[{ add: handleOf(2) }, { rested: [handleOf(1)] }], [{ rested: [handleOf(1)] }, { add: handleOf(2) }]];
  const tables = orders.map((changes) => {
    const { table } = tableOf();
    for (const change of [...changes, { add: handleOf(1) }]) table.apply(change);
    return table;
  });
  const keys = new Set(tables.map((table) => table.key()));

  for (const table of tables) table.apply({ concerned: [1] });

  expect([keys.size, tables.map((table) => [...table.recipients()])]).toEqual([
    2, [['@consumer/2-1', '@consumer/1-1'], ['@consumer/1-1', '@consumer/2-1']],
  ]);
});

test('a block that touches nobody is delivered at once', () => {
  const { deliveries, table } = tableOf();

  expect([table.apply({ route: RANGE }), deliveries.count]).toEqual([{ type: 'block.delivered' }, 0]);
});

test('layer by layer, each is told to its own shapes, and the delivery is open until the last has answered', () => {
  const { deliveries, table } = tableOf('one by one');
  for (const add of [handleOf(1), handleOf(2)]) table.apply({ add });
  const steps: unknown[] = [];
  const note = (told: unknown): void => void steps.push({ told, recipients: [...table.recipients()], open: deliveries.count });

  note(table.apply({ route: RANGE }));
  const delivery = deliveries.get(1 as DeliveryId);
  note(table.apply('nextLayer'));
  note(table.apply('nextLayer'));

  expect({ steps, changes: delivery && changesFor(delivery, handleOf(2)) }).toEqual({
    steps: [
      { told: { type: 'layer.ready', delivery: 1 }, recipients: ['@consumer/1-1'], open: 1 },
      { told: { type: 'layer.ready', delivery: 1 }, recipients: ['@consumer/2-1'], open: 1 },
      { told: { type: 'block.delivered' }, recipients: [], open: 0 },
    ],
    changes: CHANGES,
  });
});

test('whom a large transaction may concern is addressed until the next block, and what they did not answer is told as shapes', () => {
  const { table } = tableOf();
  for (const add of [handleOf(1), handleOf(2), handleOf(3)]) table.apply({ add });
  table.apply({ remove: handleOf(2) });

  const told = table.apply({ concerned: [1] });
  const addressed = [...table.recipients()];
  const unanswered = table.apply({ unanswered: ['@consumer/3-1'] });
  table.apply({ route: RANGE });
  table.apply('nextLayer');

  expect({ told, addressed, unanswered, later: [...table.recipients()] }).toEqual({
    told: undefined,
    addressed: ['@consumer/1-1', '@consumer/3-1'],
    unanswered: { type: 'block.notTaken', handles: [handleOf(3)] },
    later: [],
  });
});

test('recipients that did not take a block are told as shapes', () => {
  const { table } = tableOf();
  for (const add of [handleOf(1), handleOf(2), handleOf(3)]) table.apply({ add });
  table.apply({ route: RANGE });

  const told = table.apply({ unanswered: ['@consumer/3-1', '@consumer/1-1'] });

  expect(told).toEqual({ type: 'block.notTaken', handles: [handleOf(1), handleOf(3)] });
});

test('all shapes are addressed when everybody is told something, and none once all were removed', () => {
  const { shapes, table } = tableOf();
  for (const add of [handleOf(1), handleOf(2), handleOf(3)]) table.apply({ add });
  table.apply({ leaveBehind: [handleOf(2), handleOf(9)] });
  table.apply('everyone');
  const addressed = [...table.recipients()];
  table.apply('removeAddressed');

  expect({ addressed, shapes }).toEqual({ addressed: ['@consumer/1-1', '@consumer/3-1'], shapes: [] });
});

test('it is told where the one stands who is furthest back, and who is gone is forgotten', () => {
  const places = new Map<Handle, LogPosition>([10, 30, 50].map((at, index) => [handleOf(index), at as LogPosition]));
  const { table, shapes } = tableOf('together', (handle) => places.get(handle));
  for (const add of places.keys()) table.apply({ add });
  const at = (standing: number) => table.apply({ standing: standing as LogPosition });
  const told: unknown[] = [at(0), at(20)];
  table.apply({ upTo: 30 as LogPosition });
  const addressed = [...table.recipients()];
  places.delete(handleOf(0));
  told.push(at(20), [...shapes]);
  places.clear();
  told.push(at(20));

  expect({ told, addressed }).toEqual({
    told: [
      { type: 'followers.stand', at: 10 },
      { type: 'followers.stand', at: 20 },
      { type: 'followers.stand', at: 30 },
      [handleOf(1), handleOf(2)],
      { type: 'followers.none' },
    ],
    addressed: ['@consumer/0-1', '@consumer/1-1'],
  });
});

test('who waits is brought nothing before it is admitted, and who was taken out or is gone by then is not', () => {
  const places = new Map<Handle, LogPosition>([10, 30, 50].map((at, index) => [handleOf(index), at as LogPosition]));
  const { table, shapes } = tableOf('together', (handle) => places.get(handle));
  table.apply({ add: handleOf(2) });
  for (const handle of [handleOf(0), handleOf(1), handleOf(9)]) table.apply({ wait: handle });
  const before = [...shapes];
  table.apply({ remove: handleOf(0) });
  const told = [table.apply('admit'), table.apply('admit')];

  expect({ before, told, shapes }).toEqual({
    before: [handleOf(2)],
    told: [{ type: 'followers.stand', at: 30 }, { type: 'followers.stand', at: 30 }],
    shapes: [handleOf(2), handleOf(1)],
  });
});

test('who waits again while it is let go, or left behind, is admitted all the same', () => {
  const { table, shapes } = tableOf();
  for (const add of [handleOf(1), handleOf(2), handleOf(3)]) table.apply({ add });
  table.apply('everyone');
  for (const wait of [handleOf(1), handleOf(3)]) table.apply({ wait });
  table.apply({ leaveBehind: [handleOf(3)] });
  table.apply('removeAddressed');
  const between = [...shapes];
  table.apply('admit');

  expect({ between, shapes }).toEqual({ between: [], shapes: [handleOf(1), handleOf(3)] });
});

/** A part of a transaction, or its end, that touches the shapes named. */
function partsFor(...parts: readonly { readonly touches: readonly Handle[]; readonly isUnfinished: boolean }[]) {
  const coming = [...parts];
  const deliveries = new Deliveries();
  const block = () => {
    const transaction = transactionOf({ xid: 1, lsn: '9' }, []);
    return blockOf([{ ...transaction, isUnfinished: coming[0]?.isUnfinished === true }]);
  };
  const step = () => [new Map((coming.shift()?.touches ?? []).map((handle) => [handle, CHANGES]))].filter(({ size }) => size > 0);
  const nothing = {
    add: () => {}, remove: () => {}, begin: () => {}, shapesOn: () => new Set<Handle>(), positionOf: () => LOG_START,
    restsAt: () => undefined,
  };
  const routing = { ...nothing, step, clone };
  return { deliveries, table: new RouterTable(routing, { take: block, close: () => {}, clone }, deliveries) };
}

test('who has taken a part of a transaction hears of its end, whatever is in the last part', () => {
  const { deliveries, table } = partsFor(
    { touches: [handleOf(1), handleOf(2)], isUnfinished: true },
    { touches: [handleOf(3)], isUnfinished: true },
    { touches: [handleOf(2)], isUnfinished: false },
    { touches: [handleOf(2)], isUnfinished: false },
  );
  table.apply({ add: handleOf(3) });
  const layers = [1, 2, 3, 4].map((id) => {
    table.apply({ route: RANGE });
    if (id === 2) table.apply({ leaveBehind: [handleOf(3)] });
    const told = deliveries.get(id as DeliveryId)?.layers.map((layer) => [...layer.keys()]);
    for (let left = told?.length ?? 0; left > 0; left -= 1) table.apply('nextLayer');
    return told;
  });

  expect(layers).toEqual([[[handleOf(1), handleOf(2)]], [[handleOf(3)]], [[handleOf(1)], [handleOf(2)]], [[handleOf(2)]]]);
});

test('of many shapes that a part of a transaction touches, only some have what they made of it in memory', () => {
  const touches = Array.from({ length: 150 }, (_, index) => handleOf(index));
  const { deliveries, table } = partsFor({ touches, isUnfinished: true }, { touches: [], isUnfinished: false });

  const sizes = [1, 2].map((id) => {
    table.apply({ route: RANGE });
    const layers = deliveries.get(id as DeliveryId)?.layers ?? [];
    for (const _ of layers) table.apply('nextLayer');
    return layers.map(({ size }) => size);
  });

  expect(sizes).toEqual([[64, 64, 22], [64, 64, 22]]);
});

test('nothing is left of a block that has been delivered', () => {
  const { table } = tableOf();
  table.apply({ add: handleOf(1) });
  const before = table.key();
  table.apply({ route: RANGE });
  table.apply('nextLayer');

  expect(table.key()).toBe(before);
});

test('when the collector ends, what it was delivering or had loaded is nobody’s any more', () => {
  const { deliveries, loaded, table } = tableOf();
  table.apply({ add: handleOf(1) });
  table.apply({ route: RANGE });
  table.close();

  expect([deliveries.get(1 as DeliveryId), deliveries.count, loaded.isOpen]).toEqual([undefined, 0, false]);
});

test('a shape that a delivery was not routed to finds nothing of its own in it', () => {
  const delivery = new Deliveries().begin(blockOf([]), [new Map([[handleOf(1), CHANGES]])]);

  expect(() => changesFor(delivery, handleOf(2))).toThrow('delivery 1 was routed to 2-1');
});

describe('a shape that nothing touches', () => {
  const [first, second] = [handleOf(1), handleOf(2)];
  const [one, other] = ['consumer#1', 'consumer#2'] as [Pid, Pid];
  const at = (position: number): LogPosition => position as LogPosition;
  const told = (...proposed: readonly (readonly [Handle, Pid])[]) => {
    return { handles: proposed.map(([handle]) => handle), consumers: proposed.map(([, consumer]) => consumer) };
  };
  /** Where each has taken something last; undefined for one that must not sleep. */
  const tableAt = (positions: Readonly<Record<Handle, LogPosition | undefined>>) => {
    const { table, ...others } = tableOf('one by one', () => LOG_START, (handle) => positions[handle]);
    table.apply({ add: first, consumer: one });
    table.apply({ add: second, consumer: other });
    return { table, ...others };
  };

  test('is proposed when it has taken nothing since all were looked at before, and while it is not behind', () => {
    const positions: Record<Handle, LogPosition | undefined> = { [first]: at(5), [second]: undefined };
    const { table } = tableAt(positions);
    const looks = [10, 20].map((position) => table.apply({ idleAt: at(position) }));
    positions[second] = at(15);
    looks.push(...[30, 40].map((position) => table.apply({ idleAt: at(position) })));

    expect(looks).toEqual([[], [[first, one]], [[first, one], [second, other]], [[first, one], [second, other]]].map((proposed) => {
      return { type: 'shapes.idle', ...told(...(proposed as [Handle, Pid][])), areMore: false };
    }));
  });

  test('stays when something has touched it since, or another Consumer has come', () => {
    const positions: Record<Handle, LogPosition | undefined> = { [first]: at(5), [second]: at(5) };
    const { table } = tableAt(positions);
    table.apply({ idleAt: at(10) });
    positions[first] = at(12);
    table.apply({ add: second, consumer: 'consumer#3' as Pid });
    const idle = told([first, one], [second, other]);

    expect(table.apply({ rest: idle })).toEqual({ type: 'shapes.areAtRest', asleep: [], stayed: idle });
  });

  test('is named once by what touches it, and brought nothing until its next Consumer is there', () => {
    const { table, shapes } = tableAt({ [first]: at(5), [second]: undefined });
    table.apply({ idleAt: at(10) });
    const rested = table.apply({ rest: told([first, one]) });
    const touched = table.apply({ route: RANGE });
    const brought = [...table.recipients()];
    for (const _ of ['second', 'end']) table.apply('nextLayer');
    const [routed, again] = [[...shapes], table.apply({ route: RANGE })];
    table.apply({ add: first, consumer: 'consumer#3' as Pid });

    expect({ rested, touched, brought, routed, again, back: [...shapes] }).toMatchObject({
      rested: { type: 'shapes.areAtRest', asleep: [one], stayed: told() },
      touched: { type: 'block.touches', handles: [first] },
      brought: [],
      routed: [second],
      again: { type: 'layer.ready' },
      back: [second, first],
    });
  });

  test('is named by a large transaction, and by who leaves it behind', () => {
    const { table } = tableOf();
    table.apply({ rested: [first, second] });
    const concerned = table.apply({ concerned: [1] });
    table.apply({ rested: [first] });
    const left = table.apply({ leaveBehind: [first, second] });

    expect([concerned, left]).toEqual([
      { type: 'dormant.touched', handles: [first, second] },
      { type: 'dormant.touched', handles: [first] },
    ]);
  });
});
