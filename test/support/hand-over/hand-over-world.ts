/**
 * HandOverWorld: one shape with a Consumer, a Snapshotter, a Materializer and one that depends on it, under their
 * supervisor, in the production runtime; the collector, a log in memory with its syncs, and a writer that commits.
 * Somebody from outside decides what is delivered next.
 *
 * Doubles stand only at the edge: the database, its publication, and the directory of handles.
 */
import type { AnyStateMachine } from 'xstate';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { ConsumerLog } from '../../../src/actors/consumer/consumer-log.ts';
import { downCause } from '../../../src/actors/down-cause.ts';
import { LinkValues } from '../../../src/actors/link-values.ts';
import { LogProgress } from '../../../src/actors/collector/log-progress.ts';
import { materializer } from '../../../src/actors/materializer.ts';
import { RequestBacklog } from '../../../src/actors/request-backlog.ts';
import { RouterTable } from '../../../src/actors/collector/router-table.ts';
import { catchUpCollector } from '../../../src/actors/collector/catch-up-collector.ts';
import { shapeLogCollector } from '../../../src/actors/collector/shape-log-collector.ts';
import { snapshotter } from '../../../src/actors/snapshotter.ts';
import { Subscribers } from '../../../src/actors/subscribers.ts';
import { uncopied } from '../../../src/base/fork.ts';
import { compareOffsets, isInSnapshot, offsetOf, type LogOffset } from '../../../src/model/log-offset.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import { isVisible, type PgSnapshot, type Xid } from '../../../src/model/pg-snapshot.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import type { DynamicSupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { choosingScheduler, type Candidate, type ChoosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { dynamicSupervisor } from '../../../src/otp/supervision/dynamic-supervisor.ts';
import type { Address, ExitReason, Pid, PortContext, PortSpec, ProcessSpec } from '../../../src/otp/process.ts';
import { createRuntime, type Runtime } from '../../../src/otp/runtime.ts';
import type { NumberedRecord } from '../../../src/otp/kernel/trace.ts';
import { Deliveries } from '../../../src/shapes/delivery.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { LineReader } from '../../../src/shapes/line-reader.ts';
import { MemberIndex } from '../../../src/shapes/member-index.ts';
import { ShapeRouter } from '../../../src/shapes/shape-router.ts';
import { checkpointPort } from '../../../src/storage/checkpoint/checkpoint-port.ts';
import { LogBlocks } from '../../../src/storage/log/log-blocks.ts';
import { logReaderPort } from '../../../src/storage/log/log-reader-port.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { shapeReaderPort } from '../../../src/storage/shapes/shape-reader-port.ts';
import { changeBytes, tupleOf } from '../actors/changes.ts';
import { ManualClock } from '../manual-clock.ts';
import { shapeOf } from '../shapes.ts';
import { dependant, View } from './dependant.ts';
import { ModelDatabase, type CommittedTransaction, type Wish } from './model-database.ts';
import { noDependencies } from '../actors/no-dependencies.ts';

export const HANDLE = '1-1' as Handle;
export const COLUMN = 'value';
export const NAMES = {
  consumers: '@consumers',
  consumer: `@consumer/${HANDLE}`,
  materializer: `@materializer/${HANDLE}/${COLUMN}`,
  dependant: '@dependant',
  snapshotter: '@snapshotter',
} as const;

/** What may be exchanged: a negative control takes a cure out of one of them. */
export interface Machines {
  readonly consumer: AnyStateMachine;
  readonly materializer: AnyStateMachine;
}

export interface WorldSizes {
  /** Of history that the Materializer is given at once: at 1, one row each time. */
  readonly historyBytesMax?: number;
  readonly blocks?: Parameters<typeof logReaderPort>[3];
  /** Of the newest transactions that are kept whole. */
  readonly tailBytesMax?: number;
}

const LAYOUT = {
  oid: 4711,
  schema: 'public',
  name: 'items',
  columns: [
    { name: 'id', typeOid: 23, typeMod: -1 },
    { name: COLUMN, typeOid: 25, typeMod: -1 },
  ],
};
const DEFINITION: ShapeDefinition = shapeOf({}, { id: 1, ...LAYOUT });

export class HandOverWorld {
  readonly clock = new ManualClock();
  readonly scheduler: ChoosingScheduler;
  readonly runtime: Runtime;
  readonly database = new ModelDatabase();
  readonly records: NumberedRecord[] = [];
  /** What the snapshot's query saw, once it was taken. */
  pgSnapshot: PgSnapshot | undefined;
  snapshotRows = 0;
  values: LinkValues | undefined;
  view: View | undefined;
  /** The operations that the Materializer's table was given, as offsets, in order; a row of the snapshot is `snapshot`. */
  readonly applied: string[] = [];
  /** Operations that the storage took for taken, before they were in the shape's log. */
  readonly lost = new Set<string>();
  /** Where each transaction that changed something ends in the log, once it is durable. */
  readonly ends: { readonly position: number; readonly xid: Xid; readonly last: LogOffset }[] = [];
  /** Whether the choices are asked for; before, everything is delivered in the order of sending. */
  private isChoosing = false;
  private readonly storage: Storage;
  private readonly layoutId: number;
  private readonly blocks: LogBlocks;
  private readonly shapeBlocks = new ShapeBlocks();
  private readonly machines: Machines;
  private readonly deliveries = new Deliveries();
  private hasDrained = false;

  constructor(
    choose: (candidates: readonly Candidate[]) => number,
    machines: Machines = { consumer, materializer },
    private readonly sizes: WorldSizes = {},
  ) {
    this.machines = machines;
    this.storage = memoryStorage(sizes);
    this.layoutId = this.storage.log.appendLayout(LAYOUT);
    this.blocks = new LogBlocks(this.storage.log);
    this.scheduler = choosingScheduler((candidates) => (this.isChoosing ? choose(candidates) : 0));
    this.runtime = createRuntime({ clock: this.clock, scheduler: this.scheduler, trace: (record) => this.records.push(record) });
  }

  /** Starts what outlives a shape. */
  async begin(): Promise<void> {
    const { log, shapes, disk } = this.storage;
    const roots: Readonly<Record<string, ProcessSpec>> = {
      'log-reader': logReaderPort(log, this.blocks, this.blocks, this.sizes.blocks),
      'shape-reader': shapeReaderPort({ shapes, disk }, this.shapeBlocks, (column) => new LineReader(column), this.sizes.historyBytesMax),
      checkpoints: checkpointPort(log, shapes, disk, this.clock),
      writer: this.writerPort(),
      stream: this.streamPort(),
      snapshots: this.snapshotPort(),
      publication: { name: '@publication-manager', open: () => ({ requests: { addRelation: () => ({ type: 'relation.published' }) } }) },
      directory: this.directoryPort(),
      collector: this.collectorSpec(),
      'catch-up-collector': {
        machine: catchUpCollector,
        name: '@catch-up-collector',
        tables: (self) => ({ router: this.routerTable(self) }),
      },
      consumers: dynamicSupervisor(this.consumersSpec()),
    };
    for (const [id, spec] of Object.entries(roots)) void this.runtime.start(spec, { id });
    await this.drain();
    this.runtime.send('@shape-log-collector', { type: 'shapesRestored' });
    await this.drain();
    this.isChoosing = true;
  }

  createShape(): void {
    this.storage.shapes.create(HANDLE, DEFINITION);
  }

  /** Lets every answer that is only waiting for a promise arrive. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await Promise.resolve();
  }

  private async drain(): Promise<void> {
    do await this.settle();
    while (this.runtime.drain() > 0);
  }

  /** Blocks of the log that somebody has loaded. */
  get heldBlocks(): number {
    return this.blocks.count;
  }

  get shapeLog(): ShapeLog | undefined {
    return this.storage.shapes.get(HANDLE);
  }

  /** What lies behind the shape's position is never read again for it: a crash now would lose what is missing. */
  look(): void {
    const { shapeLog, pgSnapshot } = this;
    if (shapeLog === undefined || pgSnapshot === undefined) return;
    for (const { position, xid, last } of this.ends) {
      if (position > shapeLog.position || isVisible(xid, pgSnapshot)) continue;
      if (compareOffsets(last, shapeLog.end) > 0) this.lost.add(last);
    }
  }

  private consumersSpec(): DynamicSupervisorSpec {
    const { machines } = this;
    return {
      name: NAMES.consumers,
      templates: {
        consumer: () => ({
          id: 'consumer',
          restart: 'temporary',
          start: () => ({
            machine: machines.consumer,
            input: { handle: HANDLE, mode: 'create', position: this.shapeLog?.position, end: this.shapeLog?.end },
            tables: (self) => this.consumerTables(self),
            name: NAMES.consumer,
            trapExit: true,
          }),
        }),
        snapshotter: (args) => ({
          id: `snapshotter/${HANDLE}`,
          restart: 'temporary',
          start: () => ({ machine: snapshotter, input: { relation: DEFINITION.relation, ...args }, name: NAMES.snapshotter }),
        }),
        materializer: () => ({
          id: 'materializer',
          restart: 'temporary',
          start: () => ({
            machine: machines.materializer,
            input: this.materializerInput(),
            tables: (self) => ({ values: this.linkValues(self), dependants: new Subscribers(), awaitingValues: new RequestBacklog() }),
            name: NAMES.materializer,
          }),
        }),
        dependant: () => ({
          id: 'dependant',
          restart: 'temporary',
          start: () => ({
            machine: dependant,
            input: { materializer: NAMES.materializer },
            tables: () => ({ view: (this.view = new View(() => this.values)) }),
            name: NAMES.dependant,
          }),
        }),
      },
    };
  }

  /** Made for one that neither subscribes nor ends: the dependant of this world comes by itself. */
  private materializerInput() {
    const consumer = this.runtime.whereis(NAMES.consumer) ?? NAMES.consumer;
    return { handle: HANDLE, column: COLUMN, consumer, dependant: '@shape-log-collector' };
  }

  private consumerTables(self: Pid) {
    const { storage, blocks, deliveries, shapeLog } = this;
    if (shapeLog === undefined) throw new Error('the shape was created before its Consumer');
    void this.runtime.whenDown(NAMES.consumer).then((reason) => this.consumerEnded(reason));
    const log = new ConsumerLog({
      shapeLog,
      lines: new ChangeConverter(DEFINITION, undefined, (id) => storage.log.layoutOf(id)),
      loaded: blocks.slot(self),
      delivery: (id) => deliveries.get(id),
      layoutOf: (id) => storage.log.layoutOf(id),
      takenByAll: () => storage.shapes.position,
      processedLsn: () => LSN_ZERO,
      announce: () => undefined,
      ...noDependencies(),
      clone: uncopied('what a runtime works on'),
    });
    return { log, materializers: new Subscribers(), awaitingStart: new RequestBacklog() };
  }

  /** As the directory does: a shape whose Consumer did not drain is deleted. */
  private consumerEnded(reason: ExitReason): void {
    this.hasDrained = downCause(reason).type === 'drain';
    if (!this.hasDrained) this.storage.shapes.delete(HANDLE, 'its Consumer ended');
  }

  private linkValues(self: Pid): LinkValues {
    this.shapeBlocks.open(self);
    this.values = new LinkValues(COLUMN, {
      take: (range) => {
        const rows = this.shapeBlocks.take(self, range);
        for (const { offset } of rows) this.applied.push(isInSnapshot(offset) ? 'snapshot' : offset);
        return rows;
      },
      close: () => this.shapeBlocks.close(self),
      oldestView: () => this.view?.at,
      dependantsBefore: () => [],
      hasPrimaryKey: true,
      isPartitioned: () => false,
      listing: new MemberIndex().listing(HANDLE),
      clone: uncopied('what a runtime works on'),
    });
    return this.values;
  }

  private routerTable(self: Pid): RouterTable {
    const routing = new ShapeRouter((id) => this.storage.log.layoutOf(id));
    const shapes = {
      add: (handle: Handle) => routing.add(handle, DEFINITION, undefined),
      remove: (handle: Handle) => routing.remove(handle),
      begin: routing.begin.bind(routing),
      step: routing.step.bind(routing),
      shapesOn: routing.shapesOn.bind(routing),
      positionOf: (handle: Handle) => this.storage.shapes.get(handle)?.position,
      restsAt: (handle: Handle) => this.storage.shapes.get(handle)?.restsAt,
      clone: uncopied('what a runtime works on'),
    };
    return new RouterTable(shapes, this.blocks.slot(self), this.deliveries);
  }

  private collectorSpec(): ProcessSpec {
    return {
      machine: shapeLogCollector,
      name: '@shape-log-collector',
      input: { position: this.storage.shapes.position },
      tables: (self) => ({
        router: this.routerTable(self),
        progress: new LogProgress({
          advance: (position) => this.storage.shapes.advance(position),
          isHeldUp: false,
          get: (handle) => this.storage.shapes.get(handle),
          clone: uncopied('what a runtime works on'),
        }),
      }),
    };
  }

  /** Begins, commits and shows transactions; each commit goes on to the stream, in order. */
  private writerPort(): PortSpec {
    const xids: ReturnType<ModelDatabase['begin']>[] = [];
    const xidOf = (index: unknown): Xid => {
      const xid = xids[index as number];
      if (xid === undefined) throw new Error('a transaction begins before it commits');
      return xid;
    };
    return {
      name: '@writer',
      open: (context) => ({
        requests: {},
        casts: {
          begin: () => void xids.push(this.database.begin()),
          commit: ({ index, wishes }) => {
            const transaction = this.database.commit(xidOf(index), wishes as readonly Wish[]);
            context.send('@stream', { type: 'committed', index: this.database.committed.indexOf(transaction) });
          },
          show: ({ index }) => this.database.show(xidOf(index)),
        },
      }),
    };
  }

  /** Brings committed transactions into the log, and tells the collector when they are durable. */
  private streamPort(): PortSpec {
    return {
      name: '@stream',
      open: (context) => ({
        requests: {},
        casts: {
          committed: ({ index }) => {
            const transaction = this.database.committed[index as number];
            if (transaction !== undefined) this.append(transaction);
            void this.extend(context, transaction);
          },
        },
      }),
    };
  }

  private append({ xid, lsn, changes }: CommittedTransaction): void {
    const { log } = this.storage;
    changes.forEach((change, index) =>
      log.appendChanges(xid, changeBytes({ ...change, layoutId: this.layoutId, position: 2 * index })),
    );
    log.appendCommit(xid, lsn);
  }

  private async extend(context: PortContext, transaction: CommittedTransaction | undefined): Promise<void> {
    const through = await this.storage.log.sync();
    if (transaction !== undefined && transaction.changes.length > 0) {
      const { xid, lsn, changes } = transaction;
      this.ends.push({ position: through, xid, last: offsetOf(lsn, 2 * (changes.length - 1)) });
    }
    context.send('@shape-log-collector', { type: 'log.extended', through, lsn: transaction?.lsn });
  }

  private snapshotPort(): PortSpec {
    return {
      name: '@snapshots',
      open: (context) => ({
        requests: {
          takeSnapshot: async ({ progressTo }) => {
            const { shapeLog } = this;
            if (shapeLog === undefined) return { type: 'snapshot.failed', error: { code: 'schema_changed', message: 'the shape is gone' } };
            const { pgSnapshot, rows } = this.database.snapshot();
            this.pgSnapshot = pgSnapshot;
            this.snapshotRows = rows.length;
            const writer = shapeLog.beginSnapshot(pgSnapshot);
            context.send(progressTo as Address, { type: 'snapshot.known', pgSnapshot });
            const lines = new ChangeConverter(DEFINITION, undefined, (id) => this.storage.log.layoutOf(id));
            await writer.write(rows.map((row) => lines.snapshotLine(tupleOf(row))));
            context.send(progressTo as Address, { type: 'snapshot.started' });
            await writer.complete();
            return { type: 'snapshot.completed' };
          },
        },
      }),
    };
  }

  /** Knows of a drain when it has seen one; otherwise a handle without a Consumer is gone. */
  private directoryPort(): PortSpec {
    const confirmHandle = () => ({ type: this.hasDrained ? 'handle.isKept' : 'handle.isGone' });
    return { name: '@shape-cache', open: () => ({ requests: { confirmHandle } }) };
  }
}

/** More turns of the microtask queue than any answer of a port in memory takes. */
const SETTLE_TURNS = 40;
