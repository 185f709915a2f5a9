/**
 * A small world behind the api: real logs in memory, a catalogue of three tables, a directory that makes shapes at
 * once, and a service whose state the test sets. In front of it the real api and, if wanted, the real server.
 */
import { createApi, type Api } from '../../../src/api/api.ts';
import type { ApiSettings } from '../../../src/api/api-context.ts';
import type {
  LimitsStanding, LogStretch, ReadableLogs, ReadinessGoal, RelationLookup, RelationSource, ServedShapes, ServiceLevel, ServiceStatus,
  ShapeCreation, SnapshotStart, ZoneSource,
} from '../../../src/api/ports.ts';
import type { ExplainSource, RowRead, ToldSelection } from '../../../src/api/explain/explain-source.ts';
import type { LoggedTransactionPlace, TransactionFate, TransactionSource } from '../../../src/api/explain/transaction-source.ts';
import { isInMemory } from '../../../src/api/shape-response.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { Unreadiness } from '../../../src/api/refusal.ts';
import type { SubsetQuery, SubsetRead, SubsetReader, SubsetSource } from '../../../src/api/subsets/subset-source.ts';
import type { EntryRun } from '../../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { Column, Relation } from '../../../src/model/relation.ts';
import { definitionKey, newHandle, type Handle, type ShapeDefinition } from '../../../src/model/shape.ts';
import type { TimeZone } from '../../../src/model/time-zone.ts';
import type { SnapshotWriter } from '../../../src/storage/shapes/shape-logs.ts';
import { columnKey } from '../shapes.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { SubsetLanguage } from '../../../src/sql/subset.ts';
import type { ExplainLanguage } from '../../../src/sql/where-explanation.ts';
import type { WhereLanguage } from '../../../src/sql/where.ts';
import { readableLogs } from '../../../src/service/wiring/api-ports.ts';
import { toldShapeOf } from '../../../src/service/wiring/explain/told-shapes.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../manual-clock.ts';

const PG_SNAPSHOT = { xmin: '100', xmax: '100', xip: [], insertLsn: LSN_ZERO };
export const LONG_POLL_MS = 20_000;

export interface World {
  readonly api: Api;
  readonly clock: ManualClock;
  readonly catalog: TestCatalog;
  readonly directory: TestDirectory;
  readonly status: TestStatus;
  readonly language: TestLanguage;
  readonly subsets: TestSubsets;
  readonly explains: TestExplains;
  /** What every shape has stored, as the service knows it. */
  processed: Lsn | undefined;
  /** Appends rows to a shape's log as one transaction, and tells those who wait. @returns the log's new end. */
  append(handle: string, lsn: number, ...rows: readonly string[]): LogOffset;
  /** The others go on without this shape from here on, until something is appended to it. */
  leavePace(handle: string): void;
}

export interface WorldOptions {
  readonly settings?: Partial<ApiSettings>;
  readonly chunkBytesMax?: number;
  /** Rows of the table `items`, as the snapshot finds them. */
  readonly rows?: readonly string[];
  /** Where the logs are; by default in memory. */
  readonly storage?: Storage;
  /** Logs give their entries as streams, as those do that lie on a disk. */
  readonly streams?: boolean;
  /** The whole language, for tests that are about filters which the sentence of `TestLanguage` is not enough for. */
  readonly language?: WhereLanguage;
  /** The same of subsets. */
  readonly subsetLanguage?: SubsetLanguage;
  /** The same of what is explained. */
  readonly explainLanguage?: ExplainLanguage;
}

export function createWorld({ settings, chunkBytesMax, rows = [], streams = false, ...options }: WorldOptions = {}): World {
  const clock = new ManualClock();
  const storage = options.storage ?? memoryStorage({ clock, ...(chunkBytesMax === undefined ? {} : { chunkBytesMax }) });
  const catalog = new TestCatalog();
  const status = new TestStatus(clock);
  const language = new TestLanguage(options.language);
  const subsets = new TestSubsets(options.subsetLanguage);
  const explains = new TestExplains((handle) => toldShapeOf(storage.shapes, handle, systemClock), options.explainLanguage);
  const directory = new TestDirectory(storage, clock, rows, (handle, next) => api.announcements.rotate(handle, next));
  const ports = {
    relations: catalog,
    zones: catalog,
    shapes: directory,
    logs: streams ? streaming(readableLogs(storage.shapes)) : readableLogs(storage.shapes),
    status,
    language,
    subsets,
    explain: explains,
    lastProcessedLsn: () => world.processed,
  };
  const api = createApi(
    ports,
    {
      longPollTimeoutMs: LONG_POLL_MS,
      readinessTimeoutMs: 5000,
      maxConcurrentRequests: { initial: 300, existing: 10_000 },
      cache: { maxAgeSeconds: 60, staleAgeSeconds: 300 },
      isDeletionEnabled: true,
      ...settings,
    },
    clock,
    seededRandom(1),
  );
  const world: World = {
    api, clock, catalog, directory, status, language, subsets, explains, processed: undefined,
    leavePace: (handle) => storage.shapes.get(handle as Handle)?.leavePace(LSN_ZERO),
    append(handle, lsn, ...lines) {
      const log = storage.shapes.get(handle as Handle);
      if (log === undefined) throw new Error(`no log of ${handle}`);
      lines.forEach((line, index) => log.append(String(lsn) as Lsn, 2 * index, Buffer.from(line)));
      const end = log.publish(0 as LogPosition);
      api.announcements.announce(log.handle, end);
      return end;
    },
  };
  return world;
}

function streaming(logs: ReadableLogs): ReadableLogs {
  return {
    isGone: (error) => logs.isGone(error),
    isStalled: (error) => logs.isStalled(error),
    elsewhereOf: (error) => logs.elsewhereOf(error),
    damageOf: (error) => logs.damageOf(error),
    get(handle) {
      const log = logs.get(handle);
      if (log === undefined) return undefined;
      const read = (after: LogOffset): LogStretch => {
        const stretch = log.read(after);
        if (stretch.outcome !== 'entries' || !isInMemory(stretch.runs) || stretch.runs.length === 0) return stretch;
        return { ...stretch, runs: streamOf(stretch.runs) };
      };
      return { handle, end: log.end, waitsAt: log.waitsAt, reached: log.reached, outcome: (after) => log.outcome(after), read };
    },
  };
}

async function* streamOf(runs: readonly EntryRun[]): AsyncGenerator<EntryRun> {
  yield* runs;
}

/** A language of one sentence, `column = 'text'` or `column = $1`: what a filter may say is tested where the language is. */
export class TestLanguage implements WhereLanguage {
  /** How many texts were parsed. */
  parsed = 0;
  /** How many were looked through for the tables that they select from. */
  searched = 0;

  constructor(private readonly whole?: WhereLanguage) {}

  tablesIn(text: string): ReturnType<WhereLanguage['tablesIn']> {
    this.searched += 1;
    return this.whole?.tablesIn(text) ?? [];
  }

  narrow(...asked: Parameters<WhereLanguage['narrow']>): ReturnType<WhereLanguage['narrow']> {
    invariant(this.whole !== undefined, 'what is fixed for a client is tested with the whole language');
    return this.whole.narrow(...asked);
  }

  parse(...[text, params, columns, ...rest]: Parameters<WhereLanguage['parse']>): ReturnType<WhereLanguage['parse']> {
    this.parsed += 1;
    if (this.whole !== undefined) return this.whole.parse(text, params, columns, ...rest);
    const [, name = '', literal, parameter = ''] = /^\s*(\w+)\s*=\s*(?:'([^']*)'|\$(\d))\s*$/.exec(text) ?? [];
    const equals = literal ?? params[parameter] ?? '';
    if (!columns.some((known) => known.name === name)) return { error: `At location 0: unknown reference ${name}`, field: 'where' };
    return {
      canonical: `${name} = '${equals}'`,
      columns: [name],
      query: { sql: `"${name}" = $1::text`, params: [equals] },
      evaluate: (valueOf) => (valueOf(name) === null ? null : valueOf(name) === equals),
      lookups: [{ kind: 'some', key: columnKey(name), values: [equals] }],
    };
  }
}

/** Answers each request with the same rows, or as a test says; which filters and orders there are is tested where the language is. */
export class TestSubsets implements SubsetSource {
  /** `from` is the end of the log. */
  answer: SubsetRead = { outcome: 'rows', pgSnapshot: PG_SNAPSHOT, from: SNAPSHOT_END, mayLeaveOut: true, rows: [] };
  /** What a read ends in, once. */
  failure: Error | undefined;
  readonly asked: { readonly reader: SubsetReader; readonly query: SubsetQuery }[] = [];

  constructor(readonly language: SubsetLanguage = { parseFilter: () => ({ queryBehind: noQuery }), parseOrderBy: () => ({ sql: 'id' }) }) {}

  isFollowed(): boolean {
    return true;
  }

  async read(reader: SubsetReader, query: SubsetQuery): Promise<SubsetRead> {
    this.asked.push({ reader, query });
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    return this.answer.outcome === 'rows' ? { ...this.answer, from: reader.from(this.answer.from) } : this.answer;
  }
}

/** Logs are real ones; what becomes of transactions is what a test says. */
export class TestExplains implements ExplainSource, TransactionSource {
  readonly transactions = this;
  /** Those of the transaction log. */
  readonly log = new Map<number, LoggedTransactionPlace>();
  /** Of those that are not in it. */
  readonly fates = new Map<number, TransactionFate>();
  knowsAll = true;
  /** As Postgres has it. */
  read: RowRead = { outcome: 'row', row: undefined, pgSnapshot: PG_SNAPSHOT, isAhead: false };
  selection: ToldSelection | undefined;

  constructor(
    readonly shape: ExplainSource['shape'],
    readonly language: ExplainLanguage = { explanation: () => ({ error: 'no filter is explained', field: 'where' }) },
  ) {}

  selected(): ToldSelection | undefined {
    return this.selection;
  }

  readRow(): Promise<RowRead> {
    return Promise.resolve(this.read);
  }

  logged(xid: Xid): Promise<LoggedTransactionPlace | undefined> {
    return Promise.resolve(this.log.get(xid));
  }

  wouldBeKnown(): boolean {
    return this.knowsAll;
  }

  fate(xid: Xid): Promise<TransactionFate> {
    return Promise.resolve(this.fates.get(xid) ?? { fate: 'notBegun' });
  }
}

function noQuery(): { sql: string; params: readonly string[] } {
  return { sql: 'true', params: [] };
}

/** `items(id uuid, value text)`, `serial_ids(id bigserial)`, `wide(id, value1, value2, value3)`, and what a test adds. */
export class TestCatalog implements RelationSource, ZoneSource {
  readonly relations = new Map<string, Relation>();
  readonly zones = new Map<string, TimeZone>();
  /** By name: what is no table. */
  readonly kindNames = new Map<string, string>();
  isReachable = true;
  /** Of no table it is known for certain what it is: it has to be asked for. */
  isInDoubt = false;
  /** What is still told of tables that have changed since, until they are asked for as they are now. */
  private readonly kept = new Map<string, Relation>();
  lookups = 0;
  private oid = 16_384;

  constructor() {
    this.add('items', [key('id', 'uuid'), column('value', 'text')]);
    this.add('serial_ids', [key('id', 'int8')]);
    this.add('wide', [key('id', 'int8'), column('value1', 'text'), column('value2', 'text'), column('value3', 'text')]);
  }

  add(name: string, columns: readonly Column[], schema = 'public'): void {
    this.oid += 1;
    this.relations.set(JSON.stringify([schema, name]), { oid: this.oid, schema, name, columns });
  }

  /** Changes a table behind the back of whoever has asked for it. */
  alter(name: string, columns: readonly Column[], schema = 'public'): void {
    const key = JSON.stringify([schema, name]);
    const before = this.relations.get(key);
    if (before !== undefined) this.kept.set(key, before);
    this.add(name, columns, schema);
  }

  async zone(name: string): Promise<TimeZone | string | undefined> {
    return this.isReachable ? (this.zones.get(name) ?? `time zone "${name}" not recognized`) : undefined;
  }

  async relation(schema: string, name: string): Promise<RelationLookup> {
    return this.lookUp(this.kept.get(JSON.stringify([schema, name])), schema, name);
  }

  async relationNow(schema: string, name: string): Promise<RelationLookup> {
    this.kept.delete(JSON.stringify([schema, name]));
    return this.lookUp(undefined, schema, name);
  }

  isCurrent(relation: Relation): boolean {
    const name = JSON.stringify([relation.schema, relation.name]);
    return this.isReachable && !this.isInDoubt && (this.kept.get(name) ?? this.relations.get(name)) === relation;
  }

  private lookUp(kept: Relation | undefined, schema: string, name: string): RelationLookup {
    this.lookups += 1;
    if (!this.isReachable) return { outcome: 'unreachable' };
    const relation = kept ?? this.relations.get(JSON.stringify([schema, name]));
    if (relation !== undefined) return { outcome: 'found', relation };
    const kindName = this.kindNames.get(name);
    return kindName === undefined ? { outcome: 'missing' } : { outcome: 'unservable', kindName };
  }
}

export function column(name: string, typeName: string, rest: Partial<Column> = {}): Column {
  return { name, typeOid: 25, typeMod: -1, typeName, dimensions: 0, notNull: false, generated: false, ...rest };
}

export function key(name: string, typeName: string, pkIndex = 0): Column {
  return column(name, typeName, { pkIndex, notNull: true });
}

export class TestDirectory implements ServedShapes {
  /** What happens to snapshots that begin from now on. */
  snapshots: SnapshotStart | 'held' | 'writing' = { outcome: 'started' };
  refuses = false;
  created = 0;
  /** How often a shape was asked for that may not be there. */
  asked = 0;
  /** Shapes that were made for others: who reads one asks for it first. */
  readonly unrequested = new Set<string>();
  /** Stored shapes that nobody has been told of yet. */
  readonly unrestored = new Set<string>();
  private readonly handles = new Map<string, Handle>();
  private readonly starts = new Map<Handle, PromiseWithResolver<SnapshotStart>>();
  private readonly writers = new Map<Handle, SnapshotWriter>();

  constructor(
    private readonly storage: Storage,
    private readonly clock: ManualClock,
    private readonly rows: readonly string[],
    private readonly rotated: (handle: Handle, replacement?: Handle) => void,
  ) {}

  find(definition: ShapeDefinition): Handle | undefined {
    const handle = this.handles.get(definitionKey(definition));
    return handle === undefined || this.unrestored.has(handle) ? undefined : handle;
  }

  findReadable(definition: ShapeDefinition): Handle | undefined {
    const handle = this.find(definition);
    return handle === undefined || this.unrequested.has(handle) ? undefined : handle;
  }

  definitionOf(handle: Handle): ShapeDefinition | undefined {
    return this.unrestored.has(handle) ? undefined : this.storage.shapes.get(handle)?.definition;
  }

  /** As if another instance made the shapes. */
  mayReplace = (_wanted: Handle, _found: Handle): boolean => false;

  noteReader(handle: Handle): void {
    this.storage.shapes.get(handle)?.noteRequest();
  }

  async create(definition: ShapeDefinition): Promise<ShapeCreation> {
    this.asked += 1;
    if (this.refuses) return { outcome: 'refused' };
    const known = this.find(definition);
    if (known !== undefined) {
      this.unrequested.delete(known);
      return { outcome: 'created', handle: known };
    }
    this.created += 1;
    const handle = newHandle(definition, this.clock.epochMicros() + this.created);
    this.handles.set(definitionKey(definition), handle);
    this.storage.shapes.create(handle, definition);
    this.starts.set(handle, promiseWithResolver());
    if (this.snapshots !== 'held') await this.start(handle, this.snapshots);
    return { outcome: 'created', handle };
  }

  /** Another shape names it. */
  createUnrequested(definition: ShapeDefinition): Handle | undefined {
    void this.create(definition); // It is there at once, whatever becomes of its rows.
    const handle = this.find(definition);
    if (handle !== undefined) this.unrequested.add(handle);
    return handle;
  }

  /** Lets the snapshot of a held shape begin, or ends it. */
  async start(handle: Handle, start: SnapshotStart | 'writing' = { outcome: 'started' }): Promise<void> {
    if (start !== 'writing' && start.outcome !== 'started') {
      this.remove(handle);
    } else {
      const writer = this.storage.shapes.get(handle)?.beginSnapshot(PG_SNAPSHOT);
      if (writer === undefined) return;
      this.writers.set(handle, writer);
      await writer.write(this.rows.map((row) => Buffer.from(row)));
      if (start !== 'writing') await writer.complete();
    }
    this.starts.get(handle)?.resolve(start === 'writing' ? { outcome: 'started' } : start);
  }

  /** Under the same handle there is a log without operations from now on. */
  async goBack(handle: string): Promise<void> {
    const own = handle as Handle;
    const definition = this.definitionOf(own);
    if (definition === undefined) throw new Error(`no log of ${handle}`);
    this.storage.shapes.delete(own, 'the test says so');
    this.storage.shapes.create(own, definition);
    await this.start(own);
  }

  /** Shapes whose snapshot is being written. */
  begun(): readonly Handle[] {
    return [...this.storage.shapes.all()].filter(({ snapshot }) => snapshot.state === 'writing').map(({ handle }) => handle);
  }

  /** Shapes whose snapshot has not begun. */
  pending(): readonly Handle[] {
    return [...this.storage.shapes.all()].filter(({ snapshot }) => snapshot.state === 'awaited').map(({ handle }) => handle);
  }

  writerOf(handle: string): SnapshotWriter {
    const writer = this.writers.get(handle as Handle);
    if (writer === undefined) throw new Error(`no snapshot of ${handle} is being written`);
    return writer;
  }

  howItEnded(_handle: Handle): SnapshotStart {
    return { outcome: 'gone' };
  }

  async awaitSnapshotStart(handle: Handle): Promise<SnapshotStart> {
    return this.starts.get(handle)?.promise ?? { outcome: 'gone' };
  }

  condemn(handle: Handle): Promise<void> {
    return this.delete(handle);
  }

  async delete(handle: Handle): Promise<void> {
    this.remove(handle);
  }

  remove(handle: string, replacement?: Handle): void {
    const own = handle as Handle;
    for (const [definition, known] of this.handles) if (known === own) this.handles.delete(definition);
    this.storage.shapes.delete(own, 'the test says so');
    this.rotated(own, replacement);
  }
}

export class TestStatus implements ServiceStatus {
  private current: ServiceLevel = 'active';
  private readonly met = new Set<ReadinessGoal>();
  private readonly waiting = new Set<() => void>();
  why = 'Timeout waiting for Postgres lock acquisition';
  limited: LimitsStanding | undefined;
  /** A standby has its shapes from another, which follows the database. */
  followedAt: ServiceLevel = 'active';

  constructor(private readonly clock: ManualClock) {}

  get waitingCount(): number {
    return this.waiting.size;
  }

  set(level: ServiceLevel): void {
    this.current = level;
    for (const check of [...this.waiting]) check();
  }

  level(): ServiceLevel {
    return this.current;
  }

  /** While the level is `starting`, this is so already. */
  meet(goal: ReadinessGoal): void {
    this.met.add(goal);
    for (const check of [...this.waiting]) check();
  }

  isReadable(): boolean {
    return this.met.has('readable') || this.current !== 'starting';
  }

  /** How often the database was used. */
  uses = 0;
  private isSleeping = false;

  /** What the service knows is of the past until it is told `wake`. */
  sleep(): void {
    this.isSleeping = true;
  }

  wake(): void {
    this.isSleeping = false;
    for (const check of [...this.waiting]) check();
  }

  noteUse(): void {
    this.uses += 1;
  }

  isAwake(): boolean {
    return !this.isSleeping;
  }

  isConnected(): boolean {
    return this.met.has('connected') || this.current !== 'starting';
  }

  async cause(isTrusted: boolean): Promise<string | undefined> {
    return this.current === 'active' ? undefined : `the test says so${isTrusted ? ', to who may know' : ''}`;
  }

  isFollowed(): boolean {
    return this.current === this.followedAt;
  }

  limits(): LimitsStanding | undefined {
    return this.limited;
  }

  whyNotReady(): Unreadiness | undefined {
    return this.current === 'active' ? undefined : { message: this.why };
  }

  waitUntil(goal: ReadinessGoal, timeoutMs: number): Promise<boolean> {
    const goals = {
      readable: () => this.isReadable(),
      awake: () => this.isAwake(),
      connected: () => this.isConnected(),
      active: () => this.current === 'active',
    };
    const isMet = goals[goal];
    if (isMet()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (met: boolean): void => {
        this.waiting.delete(check);
        this.clock.clearTimer(timer);
        resolve(met);
      };
      const check = (): void => {
        if (isMet()) settle(true);
      };
      const timer = this.clock.setTimer(() => settle(false), timeoutMs);
      this.waiting.add(check);
    });
  }
}

interface PromiseWithResolver<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function promiseWithResolver<T>(): PromiseWithResolver<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** An insert of `items` as a log line. */
export function itemLine(id: string, value: string): string {
  return JSON.stringify({
    key: `"public"."items"/"${id}"`,
    value: { id, value },
    headers: { operation: 'insert', relation: ['public', 'items'] },
  });
}

export const SNAPSHOT_END_MESSAGE = { headers: { control: 'snapshot-end', xmin: '100', xmax: '100', xip_list: [] } };

export function upToDateMessage(lsn: number | string): object {
  return { headers: { control: 'up-to-date', global_last_seen_lsn: String(lsn) } };
}
