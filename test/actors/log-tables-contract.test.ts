/** The tables that stand over the logs keep the promises of every table, over logs and deliveries that can be copied. */
import fc from 'fast-check';
import { ConsumerLog, type ConsumerLogChange } from '../../src/actors/consumer/consumer-log.ts';
import type { ConsumerPorts } from '../../src/actors/consumer/consumer-ports.ts';
import { LogProgress, type ProgressChange } from '../../src/actors/collector/log-progress.ts';
import { RouterTable, type RouterChange, type ShapeRouting } from '../../src/actors/collector/router-table.ts';
import { consumerOf } from '../../src/actors/shape-processes.ts';
import { Copies, Fork } from '../../src/base/fork.ts';
import { invariant } from '../../src/base/invariant.ts';
import { LOG_START, type LogPosition } from '../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../src/model/lsn.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { Pid } from '../../src/otp/process.ts';
import type { LogBlock } from '../../src/model/transaction.ts';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { Deliveries, type DeliveryId } from '../../src/shapes/delivery.ts';
import { routeWhole } from '../support/route-whole.ts';
import { ShapeRouter } from '../../src/shapes/shape-router.ts';
import { memoryStorage } from '../../src/storage/memory-storage.ts';
import type { ShapeLogs } from '../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { transactionOf } from '../support/actors/changes.ts';
import { blockKey, ModelSlot } from '../support/actors/model-slot.ts';
import { tableContract, type World } from '../support/otp/table-contract.ts';
import { ModelShapeLogs } from '../support/storage/model-shape-logs.ts';
import { grow, pgSnapshot } from '../support/storage/stored-samples.ts';
import { handleOf, itemsLayout, shapeOf, whereOf, type ShapeWish } from '../support/shapes.ts';
import { noDependencies } from '../support/actors/no-dependencies.ts';

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

/** The last transaction of the block goes on behind it. */
const part = block.map(({ transactions, ...range }): LogBlock => {
  return { ...range, transactions: transactions.map((one) => ({ ...one, isUnfinished: true })) };
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
    begin: router.begin.bind(router),
    step: router.step.bind(router),
    shapesOn: router.shapesOn.bind(router),
    positionOf: () => LOG_START,
    restsAt: () => LOG_START,
    clone: () => routing(router.clone()),
  };
}

tableContract('RouterTable', {
  world: () => new DeliveryWorld(),
  table: ({ slot, deliveries }) => new RouterTable(routing(), slot, deliveries),
  steps: fc.oneof<fc.Arbitrary<RouterChange | { readonly load: LogBlock }>[]>(
    fc.record({ add: handle }),
    handle.map((each) => ({ add: each, consumer: `consumer#${each}` as Pid })),
    fc.record({ remove: handle }),
    fc.array(handle, { maxLength: 2 }).map((rested) => ({ rested })),
    through.map((idleAt) => ({ idleAt: idleAt as LogPosition })),
    handle.map((each) => ({ rest: { handles: [each], consumers: [`consumer#${each}` as Pid] } })),
    fc.record({ load: fc.oneof(block, part) }),
    through.map((end) => ({ route: { after: (end - 10) as LogPosition, through: end as LogPosition } })),
    fc.record({ wait: handle }),
    fc.constantFrom('nextLayer', 'everyone', 'removeAddressed', 'admit'),
    fc.array(handle, { maxLength: 2 }).map((handles) => ({ leaveBehind: handles })),
    fc.constantFrom([1], [2]).map((concerned) => ({ concerned })),
    through.map((standing) => ({ standing: standing as LogPosition })),
    through.map((upTo) => ({ upTo: upTo as LogPosition })),
    fc.array(handle.map(consumerOf), { maxLength: 2 }).map((unanswered) => ({ unanswered })),
  ),
  play(table, step, world) {
    if (typeof step === 'object' && 'load' in step) return world.slot.put(step.load);
    return table.apply(step);
  },
});

/** A collector's shapes, as a service without a disk has them. */
class StorageWorld implements World<StorageWorld> {
  constructor(private readonly storage: Storage) {}

  get shapes(): ShapeLogs {
    return this.storage.shapes;
  }

  clone(fork: Fork): StorageWorld {
    return new StorageWorld(this.storage.clone(fork));
  }

  /** Who has left the pace once stands alone exactly while it waits. */
  key(): string {
    const paces = Array.from(this.shapes.all(), ({ position: at, waitsAt, isBrought }) => [at, waitsAt ?? null, isBrought]);
    return JSON.stringify([this.shapes.position, paces]);
  }
}

/** Two shapes, and a log that goes beyond the positions of these steps. */
const stored = memoryStorage();
for (const made of [1, 2].map(handleOf)) stored.shapes.create(made, shapeOf({})).leavePace(LSN_ZERO);
await grow(stored, 7);

const position = fc.constantFrom(0, 10, 20, 30).map((at) => at as LogPosition);

tableContract('LogProgress', {
  world: () => new StorageWorld(stored.clone(new Fork())),
  table: ({ shapes }) => new LogProgress(shapes),
  steps: fc.oneof<fc.Arbitrary<ProgressChange | { readonly publish: Handle }>[]>(
    fc.record({ publish: fc.constantFrom(1, 2).map(handleOf) }),
    fc.record({ position, lsn: fc.constantFrom('0', '5', '7').map((text) => text as Lsn), isCaughtUp: fc.boolean() }),
    fc.array(handle, { maxLength: 2 }).map((notTaken) => ({ notTaken })),
    fc.record({ registered: fc.constantFrom(1, 2).map(handleOf) }),
    fc.constant<ProgressChange>('checkReturns'),
  ),
  play(table, step, { shapes }) {
    return typeof step === 'object' && 'publish' in step ? shapes.get(step.publish)?.publish(shapes.position) : table.apply(step);
  },
});

/** One shape's log, the deliveries that it is touched by, and who was told how far it can be read. */
class ConsumerWorld implements World<ConsumerWorld> {
  private readonly copies = new Copies<ConsumerWorld>();

  constructor(
    readonly logs: ModelShapeLogs,
    readonly delivery = new DeliveryWorld(),
    readonly announced: string[] = [],
  ) {}

  static begin(): ConsumerWorld {
    const logs = new ModelShapeLogs();
    logs.create(handleOf(1), shapeOf(wishOf(handleOf(1)))).takeSnapshot(pgSnapshot);
    return new ConsumerWorld(logs);
  }

  get ports(): ConsumerPorts {
    const shapeLog = this.logs.get(handleOf(1));
    invariant(shapeLog !== undefined, 'a log outlives its Consumer');
    return {
      shapeLog,
      lines: new ChangeConverter(shapeLog.definition, whereOf(wishOf(handleOf(1))), layoutOf),
      loaded: this.delivery.slot,
      delivery: (id) => this.delivery.deliveries.get(id),
      layoutOf,
      takenByAll: () => this.logs.position,
      processedLsn: () => LSN_ZERO,
      ...noDependencies(),
      announce: (grown, end) => void this.announced.push(`${grown} ${end}`),
      clone: (fork) => this.clone(fork).ports,
    };
  }

  /** Opens a delivery of the block to whom it concerns. */
  deliver(opened: LogBlock): void {
    const router = new ShapeRouter(layoutOf);
    router.add(handleOf(1), shapeOf(wishOf(handleOf(1))), whereOf(wishOf(handleOf(1))));
    this.delivery.deliveries.begin(opened, routeWhole(router, opened));
  }

  clone(fork: Fork): ConsumerWorld {
    return this.copies.of(fork, () => new ConsumerWorld(this.logs.clone(fork), this.delivery.clone(fork), [...this.announced]));
  }

  key(): string {
    return JSON.stringify([this.logs.key(), this.delivery.key(), this.announced]);
  }
}

const deliveryId = fc.constantFrom(1, 2, 3).map((id) => id as DeliveryId);
type ConsumerStep =
  | ConsumerLogChange
  | { readonly load: LogBlock }
  | { readonly deliver: LogBlock }
  | { readonly close: DeliveryId }
  | 'advance';

tableContract('ConsumerLog', {
  world: () => ConsumerWorld.begin(),
  table: ({ ports }) => new ConsumerLog(ports),
  steps: fc.oneof<fc.Arbitrary<ConsumerStep>[]>(
    fc.record({ load: fc.oneof(block, part) }),
    fc.record({ deliver: block }),
    fc.record({ close: deliveryId }),
    fc.record({ take: deliveryId }),
    through.map((end) => ({ takeUnrouted: { after: (end - 10) as LogPosition, through: end as LogPosition } })),
    fc.record({ publish: position }),
    fc.constantFrom<ConsumerStep>('locate', 'goAlong', 'leavePace', 'advance'),
  ),
  play(table, step, world) {
    if (step === 'advance') return world.logs.advance((world.logs.position + 10) as LogPosition);
    if (typeof step !== 'object') return table.apply(step);
    if ('load' in step) return world.delivery.slot.put(step.load);
    if ('deliver' in step) return world.deliver(step.deliver);
    return 'close' in step ? world.delivery.deliveries.close(step.close) : table.apply(step);
  },
});
