/**
 * LayeredWorld: shapes that depend on shapes, in the production runtime, under the service's own tree and with its own wiring: shape
 * cache, collectors, Consumers, Snapshotters and Materializers over a storage in memory. Somebody from outside decides what is delivered
 * next.
 *
 * Doubles stand only at the edge: the database and its publication.
 */
import type { AnyStateMachine } from 'xstate';
import { LogProgress } from '../../../src/actors/collector/log-progress.ts';
import { ShapeDirectory } from '../../../src/actors/directory/shape-directory.ts';
import { LSN_ZERO, maxLsn, type Lsn } from '../../../src/model/lsn.ts';
import { definitionKey, type Dependency, type Handle, type ShapeDefinition } from '../../../src/model/shape.ts';
import { isPortSpec, type ExitReason, type Message, type Pid, type ProcessSpec } from '../../../src/otp/process.ts';
import { CallError, createRuntime, type Runtime } from '../../../src/otp/runtime.ts';
import { choosingScheduler, type Candidate } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import type { ChildSpec, DynamicSupervisorSpec, SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { dynamicSupervisor } from '../../../src/otp/supervision/dynamic-supervisor.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import { moveTargetOf, snapshotTargetOf } from '../../../src/service/wiring/database.ts';
import { livingTable } from '../../../src/service/wiring/living-table.ts';
import { viewsAt } from '../../../src/service/wiring/shape-views.ts';
import { logAccess, shapeLogOf, storagePorts, type LogAccess } from '../../../src/service/wiring/storage.ts';
import { processTables, type TableResources } from '../../../src/service/wiring/tables.ts';
import { logReaderPort } from '../../../src/storage/log/log-reader-port.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import type { Membership } from '../../../src/sql/where.ts';
import { consumers, shapes, type ShapesWiring } from '../../../src/supervisors/shapes.ts';
import { ModelPublication } from '../actors/model-publication.ts';
import type { Row } from '../actors/changes.ts';
import { ManualClock } from '../manual-clock.ts';
import { membersOfRows } from '../shapes/subquery-filter.ts';
import { CHILDREN, language, PARENTS, TABLES } from './layered-shapes.ts';
import { ModelPostgres } from './model-postgres.ts';
import { ShapeLedger } from './shape-ledger.ts';

export interface LayeredOptions {
  /** Instead of the machines with these ids: a negative control takes a cure out of them. */
  readonly machines?: Readonly<Record<string, AnyStateMachine>>;
  /** The same for tables. */
  readonly tables?: (tables: ShapesWiring['tables']) => ShapesWiring['tables'];
  readonly blocks?: Parameters<typeof logReaderPort>[3];
  /** A first snapshot is taken by what its subqueries select by then, and not by the views of its Consumer. */
  readonly selectsAnew?: true;
  /** As the service's setting; none falls asleep where it is left out. */
  readonly shapeDormantAfterMs?: number;
}

/** A process ended otherwise than in good order. */
export interface Crash {
  readonly process: Pid;
  readonly message: string;
}

/** A client's request to the shape cache. */
export interface AskedShape {
  readonly definition: ShapeDefinition;
  /** Undefined while nobody has answered; null when the shape cache ended meanwhile. */
  answer?: Message | null;
}

/** More turns of the microtask queue than any answer of a port in memory takes. */
const SETTLE_TURNS = 40;
const RESTARTS_MAX = 1_000;
const NEVER_MS = 1_000_000_000;

/** Handles are told apart by the time at which they are made, so no two moments are the same. */
class TickingClock extends ManualClock {
  private ticks = 0;

  override epochMicros(): number {
    this.ticks += 1;
    return super.epochMicros() + this.ticks;
  }
}

export class LayeredWorld {
  readonly clock = new TickingClock();
  readonly runtime: Runtime;
  readonly storage: Storage = memoryStorage({ clock: this.clock });
  readonly postgres: ModelPostgres;
  readonly ledgers = new Map<Handle, ShapeLedger>();
  readonly crashes: Crash[] = [];
  readonly exits: { readonly process: Pid; readonly reason: ExitReason }[] = [];
  readonly asked: AskedShape[] = [];
  /** Handles that readers were told to leave, each time that they were told. */
  readonly rotated: Handle[] = [];
  /** Deletions by handle, with the reason, and whether the shape had all of its snapshot. */
  readonly deletions: { readonly log: ShapeLog; readonly why: string; readonly wasWhole: boolean }[] = [];
  private isChoosing = false;
  private readonly access: LogAccess;
  private readonly resources: TableResources;
  private readonly publication = new ModelPublication();

  constructor(
    choose: (candidates: readonly Candidate[]) => number,
    private readonly options: LayeredOptions = {},
  ) {
    const scheduler = choosingScheduler((candidates) => (this.isChoosing ? choose(candidates) : 0));
    this.runtime = createRuntime({ clock: this.clock, scheduler });
    const storage = { ...this.storage, shapes: this.watchedShapes() };
    const configuration = { subqueryValuesMax: 1_000, shapeDormantAfterMs: options.shapeDormantAfterMs ?? 0 };
    const database = { catalog: { doubt: () => {} } };
    this.resources = { configuration, storage, runtime: this.runtime, world: { clock: this.clock }, database };
    this.access = logAccess({ storage, language });
    this.postgres = new ModelPostgres(this.access.intake, {
      filterOf: (handle) => this.filterOf(handle),
      snapshot: (handle) => snapshotTargetOf(this.resources, this.access, handle),
      moves: (handle, views) => moveTargetOf(this.resources, this.access, handle, views),
    });
    for (const { name } of TABLES) this.publication.relation(name);
  }

  async begin(): Promise<void> {
    this.runtime.lifecycle((record) => {
      if (record.type !== 'exit') return;
      this.exits.push(record);
      if (typeof record.reason === 'object' && 'error' in record.reason) {
        this.crashes.push({ process: record.process, message: record.reason.error.message });
      }
    });
    void this.runtime.start(supervisor(this.tree()), { id: 'stack' });
    await this.drain();
    this.isChoosing = true;
  }

  /** A client asks for the shape, and does not wait. */
  ask(definition: ShapeDefinition): void {
    this.request(definition, { type: 'createShape', definition });
  }

  /** A client asks for its end; nobody does of a shape that is not there. */
  delete(definition: ShapeDefinition): void {
    const handle = this.handleOf(definition);
    if (handle !== undefined) this.request(definition, { type: 'deleteShape', handle, why: 'request' });
  }

  /** Lets every answer that is only waiting for a promise arrive. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await Promise.resolve();
  }

  /** Readers read on. */
  async look(): Promise<void> {
    for (const log of this.storage.shapes.all()) {
      const ledger = this.ledgers.get(log.handle) ?? new ShapeLedger(log.definition);
      this.ledgers.set(log.handle, ledger);
      await ledger.readOn(log);
    }
  }

  /** The newest of this definition. */
  handleOf(definition: ShapeDefinition): Handle | undefined {
    const key = definitionKey(definition);
    return [...this.storage.shapes.all()].findLast((log) => definitionKey(log.definition) === key)?.handle;
  }

  /** All transactions up to here are in the shape's log, as its readers are told. */
  promisedLsn(log: ShapeLog): Lsn {
    const processed = log.waitsAt ?? livingTable(this.runtime, '@shape-log-collector', 'progress', LogProgress)?.lastProcessedLsn;
    return maxLsn(processed ?? LSN_ZERO, log.reached ?? LSN_ZERO);
  }

  /** Readers find it. */
  isServed({ handle }: ShapeLog): boolean {
    return livingTable(this.runtime, '@shape-cache', 'directory', ShapeDirectory)?.definitionOf(handle) !== undefined;
  }

  /** Whether the shape has a row, by what was committed. */
  selects(definition: ShapeDefinition, row: Row): boolean {
    const where = this.access.filters.of(definition);
    const isMember = memberOf(definition, ({ shape }) => this.selected(shape));
    return where === undefined || where.evaluate(textOf(definition, row), isMember) === true;
  }

  /** The rows that the shape has, by what was committed. */
  selected(definition: ShapeDefinition): readonly Row[] {
    return this.postgres.database.rowsOf(definition.relation.name).filter((row) => this.selects(definition, row));
  }

  private request(definition: ShapeDefinition, message: Message): void {
    const asked: AskedShape = { definition };
    this.asked.push(asked);
    this.runtime.call('@shape-cache', message).then(
      (answer) => (asked.answer = answer),
      (error: unknown) => {
        if (!(error instanceof CallError)) throw error;
        asked.answer = null;
      },
    );
  }

  /** Until nothing is left to deliver. */
  async drain(): Promise<void> {
    do await this.settle();
    while (this.runtime.drain() > 0);
  }

  private filterOf(handle: Handle): ((row: Row) => boolean) | undefined {
    const log = this.storage.shapes.get(handle);
    const views = log && viewsAt(this.runtime, log, log.views);
    if (log === undefined || views === undefined) return undefined;
    const where = this.access.filters.of(log.definition);
    const isMember = this.options.selectsAnew === true ? this.selectedNow(log.definition) : views.isMember;
    return (row) => where === undefined || where.evaluate(textOf(log.definition, row), isMember) === true;
  }

  /** By what a snapshot shows. */
  private selectedNow(definition: ShapeDefinition): Membership {
    return memberOf(definition, ({ shape }) => {
      const { rows } = this.postgres.database.snapshot(shape.relation.name);
      return rows.filter((row) => this.selects(shape, row));
    });
  }

  private watchedShapes(): Storage['shapes'] {
    const { shapes: logs } = this.storage;
    const remove = logs.delete.bind(logs);
    logs.delete = (handle, why) => {
      const log = logs.get(handle);
      if (log !== undefined) this.deletions.push({ log, why, wasWhole: log.snapshot.state === 'complete' });
      remove(handle, why);
    };
    return logs;
  }

  private tree(): SupervisorSpec {
    const { resources, access, postgres, publication } = this;
    const { log } = this.storage;
    const ports = storagePorts(resources, access);
    const logReader = () => logReaderPort(log, access.blocks, access.nextBlocks, this.options.blocks);
    const children: readonly ChildSpec[] = [
      { id: 'log-writer', start: ports.logWriter },
      { id: 'log-reader', start: logReader },
      { id: 'shape-reader', start: ports.shapeReader },
      { id: 'checkpoints', start: ports.checkpoints },
      { id: 'splices', start: ports.splices },
      { id: 'writer', start: () => postgres.writerPort() },
      { id: 'replication', start: () => postgres.replicationPort() },
      { id: 'publication', start: () => publication.port },
      { id: 'snapshots', start: () => postgres.snapshotPort() },
      { id: 'move-queries', start: () => postgres.moveQueryPort() },
      { id: 'shapes', start: () => supervisor(this.shapesTree()), shutdown: 'infinity' },
    ];
    return { strategy: 'one_for_one', children, maxRestarts: RESTARTS_MAX };
  }

  private shapesTree(): SupervisorSpec {
    const { storage, options } = this;
    const announcements = { announce: () => false, rotate: (handle: Handle) => void this.rotated.push(handle) };
    const tables = processTables(this.resources, this.access, announcements);
    const wiring: ShapesWiring = {
      tables: options.tables?.(tables) ?? tables,
      shapeLog: (handle) => shapeLogOf(storage, handle),
      takenThrough: () => storage.shapes.position,
      publicationCheckEveryMs: NEVER_MS,
      shapeHibernateAfterMs: NEVER_MS,
      shapeDormantAfterMs: this.options.shapeDormantAfterMs ?? 0,
    };
    const spec = shapes(wiring);
    const withConsumers = spec.children.map((child) =>
      child.id === 'consumers' ? { ...child, start: () => dynamicSupervisor(this.exchanged(consumers(wiring))) } : child,
    );
    return { ...spec, children: withConsumers, maxRestarts: RESTARTS_MAX };
  }

  private exchanged(spec: DynamicSupervisorSpec): DynamicSupervisorSpec {
    const templates = Object.entries(spec.templates).map(([name, template]) => {
      const exchanged = (args: Message) => {
        const child = template(args);
        return { ...child, start: () => this.withMachine(child.start()) };
      };
      return [name, exchanged] as const;
    });
    return { ...spec, templates: Object.fromEntries(templates) };
  }

  private withMachine(spec: ProcessSpec): ProcessSpec {
    return isPortSpec(spec) ? spec : { ...spec, machine: this.options.machines?.[spec.machine.id] ?? spec.machine };
  }
}

/** @param rowsOf what a dependency selects. */
function memberOf({ dependencies = [] }: ShapeDefinition, rowsOf: (dependency: Dependency) => readonly Row[]): Membership {
  return (number, member) => {
    const dependency = dependencies[number];
    if (dependency === undefined) return false;
    const { shape, column } = dependency;
    return membersOfRows(rowsOf(dependency).map((row) => textOf(shape, row)(column))).includes(member);
  };
}

function textOf({ relation: { oid } }: ShapeDefinition, row: Row): (column: string) => string | null {
  const { columns } = oid === PARENTS.oid ? PARENTS : CHILDREN;
  return (column) => row[columns.findIndex(({ name }) => name === column)] ?? null;
}
