/** The tables that stand over the logs keep the promises of every table, over logs and deliveries that can be copied. */
import fc from 'fast-check';
import { LogProgress, type ProgressChange } from '../../src/actors/log-progress.ts';
import { RouterTable, type RouterChange, type ShapeRouting } from '../../src/actors/router-table.ts';
import { consumerOf } from '../../src/actors/shape-processes.ts';
import { Fork } from '../../src/base/fork.ts';
import type { LogPosition } from '../../src/model/log-position.ts';
import type { Lsn } from '../../src/model/lsn.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { LogBlock } from '../../src/model/transaction.ts';
import { Deliveries, type DeliveryId } from '../../src/shapes/delivery.ts';
import { ShapeRouter } from '../../src/shapes/shape-router.ts';
import { transactionOf } from '../support/actors/changes.ts';
import { blockKey, ModelSlot } from '../support/actors/model-slot.ts';
import { tableContract, type World } from '../support/otp/table-contract.ts';
import { ModelShapeLogs } from '../support/storage/model-shape-logs.ts';
import { handleOf, itemsLayout, shapeOf, whereOf, type ShapeWish } from '../support/shapes.ts';

const TITLES = ['one', 'two', 'three'];
const LAYOUTS = [itemsLayout, { ...itemsLayout, id: 2, columns: itemsLayout.columns.slice(0, 2) }];
const layoutOf = (id: number) => LAYOUTS.find((layout) => layout.id === id);
/** The third shape takes every row; under the second layout none can go on. */
const wishes: readonly ShapeWish[] = [
  { where: { column: 'title', equals: 'one' } },
  { where: { column: 'title', equals: 'two' } },
  {},
];
const wishOf = (handle: Handle): ShapeWish => wishes[Number(handle[0]) - 1] ?? {};
const handle = fc.constantFrom(1, 2, 3).map(handleOf);

/** The block before 10, before 20, and so on. */
function blockBefore(through: number, title: string, layoutId = 1): LogBlock {
  const row = [String(through), title, null].slice(0, layoutOf(layoutId)?.columns.length);
  const transaction = transactionOf({ xid: through, lsn: String(through) }, [{ kind: 'insert', new: row }], layoutId);
  return { after: (through - 10) as LogPosition, through: through as LogPosition, transactions: [transaction] };
}

const through = fc.constantFrom(10, 20, 30);
const block = fc.record({ through, title: fc.constantFrom(...TITLES), layoutId: fc.constantFrom(1, 1, 1, 2) }).map((wish) => {
  return blockBefore(wish.through, wish.title, wish.layoutId);
});

/** What a collector shares with Consumers and with the reader of the log. */
class DeliveryWorld implements World<DeliveryWorld> {
  constructor(
    readonly deliveries = new Deliveries(),
    readonly slot = new ModelSlot(),
  ) {}

  clone(fork: Fork): DeliveryWorld {
    return new DeliveryWorld(this.deliveries.clone(fork), this.slot.clone(fork));
  }

  key(): string {
    return JSON.stringify([deliveriesKey(this.deliveries), this.slot.key()]);
  }
}

/** Those that are open, with whom they go to, and which one would be next. */
function deliveriesKey(deliveries: Deliveries): readonly unknown[] {
  const { id: next } = deliveries.clone(new Fork()).begin(blockBefore(10, ''), []);
  const ids = Array.from({ length: next - 1 }, (_, index) => (index + 1) as DeliveryId);
  const open = ids.flatMap((id) => deliveries.get(id) ?? []);
  return [next, open.map(({ id, block: opened, layers }) => [id, blockKey(opened), layers.map((layer) => [...layer.keys()])])];
}

function routing(router = new ShapeRouter(layoutOf)): ShapeRouting {
  return {
    add: (added) => router.add(added, shapeOf(wishOf(added)), whereOf(wishOf(added))),
    remove: router.remove.bind(router),
    route: router.route.bind(router),
    shapesOn: router.shapesOn.bind(router),
    clone: () => routing(router.clone()),
  };
}

tableContract('RouterTable', {
  world: () => new DeliveryWorld(),
  table: ({ slot, deliveries }) => new RouterTable(routing(), slot, deliveries),
  steps: fc.oneof<fc.Arbitrary<RouterChange | { readonly load: LogBlock }>[]>(
    fc.record({ add: handle }),
    fc.record({ remove: handle }),
    fc.record({ load: block }),
    through.map((end) => ({ route: { after: (end - 10) as LogPosition, through: end as LogPosition } })),
    fc.constant('nextLayer'),
    fc.constantFrom([1], [2]).map((concerned) => ({ concerned })),
    fc.array(handle.map(consumerOf), { maxLength: 2 }).map((unanswered) => ({ unanswered })),
  ),
  play(table, step, world) {
    if (typeof step === 'object' && 'load' in step) return world.slot.put(step.load);
    return table.apply(step);
  },
});

/** A collector's shapes: two, of which a process may have left lines behind that nobody has seen. */
function twoShapes(): ModelShapeLogs {
  const logs = new ModelShapeLogs();
  for (const made of [1, 2].map(handleOf)) logs.create(made, shapeOf({}));
  return logs;
}

const position = fc.constantFrom(0, 10, 20, 30).map((at) => at as LogPosition);

tableContract('LogProgress', {
  world: twoShapes,
  table: (logs) => new LogProgress(logs),
  steps: fc.oneof<fc.Arbitrary<ProgressChange | { readonly publish: Handle }>[]>(
    fc.record({ publish: fc.constantFrom(1, 2).map(handleOf) }),
    fc.record({ position, lsn: fc.constantFrom('0', '5', '7').map((text) => text as Lsn), isCaughtUp: fc.boolean() }),
    fc.array(handle, { maxLength: 2 }).map((notTaken) => ({ notTaken })),
  ),
  play(table, step, logs) {
    return 'publish' in step ? logs.get(step.publish)?.publish(logs.position) : table.apply(step);
  },
});
