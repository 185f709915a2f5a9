/**
 * ShapeDirectory: which handle stands for which definition, and how far each has come in life. The shape cache's
 * table; requests read it directly, as an ETS table is read.
 *
 * `starting → live → condemned`, then gone. Only `starting` and `live` can be found. A definition is reserved in the
 * same step that finds it missing, so that it never has two handles.
 */
import { invariant } from '../base/invariant.ts';
import type { Clock } from '../base/clock.ts';
import type { Lsn } from '../model/lsn.ts';
import { definitionKey, newHandle, type Handle, type ShapeDefinition } from '../model/shape.ts';
import type { ExitReason, Message, Pid, ReplyTo, Table } from '../otp/process.ts';
import type { ShapeLogs } from '../storage/shapes/shape-logs.ts';
import { downCause, gapOf, snapshotFailure } from './down-cause.ts';
import type { MissedChanges } from './missed-changes.ts';

export type DirectoryChange =
  | { readonly type: 'reserve'; readonly definition: ShapeDefinition; readonly replyTo: ReplyTo }
  | { readonly type: 'started'; readonly handle: Handle; readonly pid: Pid }
  | { readonly type: 'refused'; readonly handle: Handle; readonly why: string }
  | { readonly type: 'condemn'; readonly handle: Handle; readonly why: string; readonly replyTo: ReplyTo }
  | { readonly type: 'confirm'; readonly handle: Handle; readonly replyTo: ReplyTo }
  | { readonly type: 'down'; readonly pid: Pid; readonly reason: ExitReason }
  | { readonly type: 'restoreNext' }
  | { readonly type: 'condemnShapes'; readonly handles: readonly Handle[]; readonly why: string }
  | { readonly type: 'purge'; readonly why: string; readonly replyTo: ReplyTo }
  /** Are those gone that had to go? */
  | 'countCondemned';

type EntryState = 'starting' | 'live' | 'condemned';

type Entry = {
  readonly definition: ShapeDefinition;
  readonly key: string;
  state: EntryState;
  why: string;
  /** Its end was told together with that of others. */
  isTold: boolean;
  pid?: Pid;
  waiting: ReplyTo[];
};

/** Told whenever a handle stops being one. */
export interface RotationListener {
  rotated(handle: Handle): void;
}

const FAILURES_MAX = 1000;
const TOLD_MAX = 1000;
/** Tables that are named when shapes are condemned together. */
const NAMED_MAX = 10;

export class ShapeDirectory implements Table<DirectoryChange> {
  private readonly entries = new Map<Handle, Entry>();
  private readonly handles = new Map<string, Handle>();
  private readonly processes = new Map<Pid, Handle>();
  /** How many entries are in each state: asked after each shape that starts or ends. */
  private counts: Record<EntryState, number> = { starting: 0, live: 0, condemned: 0 };
  private unrestored: Handle[] | undefined;
  /** Who is told when no condemned shape is left. */
  private purgers: ReplyTo[] = [];
  /** Why the last shapes that failed did so, for requests that come too late to ask their Consumer. */
  private readonly failures = new Map<Handle, unknown>();
  /** By table, the last transaction that an operator was told of: it may end a thousand shapes. */
  private readonly toldMissed = new Map<number, Lsn>();

  constructor(
    private readonly shapeLogs: ShapeLogs,
    private readonly clock: Pick<Clock, 'epochMicros'>,
    private readonly listener: RotationListener,
  ) {}

  /** The handle that serves this definition; undefined when there is none, or only a condemned one. */
  find(definition: ShapeDefinition): Handle | undefined {
    return this.handles.get(definitionKey(definition));
  }

  /** The definition behind a handle that can be served. */
  definitionOf(handle: Handle): ShapeDefinition | undefined {
    const entry = this.entries.get(handle);
    return entry === undefined || entry.state === 'condemned' ? undefined : entry.definition;
  }

  /** What kept a shape from its first row; undefined when nothing did, or when that was long ago. */
  failureOf(handle: Handle): unknown {
    return this.failures.get(handle);
  }

  get size(): number {
    return this.handles.size;
  }

  apply(change: DirectoryChange): Message | undefined {
    if (change === 'countCondemned') return this.countCondemned();
    switch (change.type) {
      case 'reserve':
        return this.reserve(change.definition, change.replyTo);
      case 'started':
        return this.started(change.handle, change.pid);
      case 'refused':
        return this.refused(change.handle, change.why);
      case 'condemn':
        return this.condemnOnRequest(change.handle, change.why, change.replyTo);
      case 'confirm':
        return { type: this.definitionOf(change.handle) === undefined ? 'shape.isGone' : 'shape.isKept', replyTo: change.replyTo };
      case 'down':
        return this.down(change.pid, change.reason);
      case 'restoreNext':
        return this.restoreNext();
      case 'condemnShapes':
        return this.condemnShapes(change.handles, change.why);
      case 'purge':
        return this.purge(change.why, change.replyTo);
    }
  }

  clone(): ShapeDirectory {
    const copy = new ShapeDirectory(this.shapeLogs, this.clock, this.listener);
    for (const [handle, entry] of this.entries) copy.entries.set(handle, { ...entry, waiting: [...entry.waiting] });
    for (const [key, handle] of this.handles) copy.handles.set(key, handle);
    for (const [pid, handle] of this.processes) copy.processes.set(pid, handle);
    for (const [handle, error] of this.failures) copy.failures.set(handle, error);
    for (const [oid, lsn] of this.toldMissed) copy.toldMissed.set(oid, lsn);
    copy.purgers = [...this.purgers];
    copy.counts = { ...this.counts };
    copy.unrestored = this.unrestored && [...this.unrestored];
    return copy;
  }

  key(): string {
    const lives = [...this.entries].map(([handle, { state, pid, waiting }]) => [handle, state, pid ?? null, waiting]);
    return JSON.stringify([lives.sort(), [...this.processes.keys()].sort(), this.unrestored ?? null, this.purgers]);
  }

  private reserve(definition: ShapeDefinition, replyTo: ReplyTo): Message | undefined {
    const known = this.find(definition);
    if (known === undefined) return this.begin(definition, replyTo);
    const entry = this.entryOf(known);
    if (entry.state === 'live') return { type: 'shape.found', handle: known, replyTo };
    entry.waiting.push(replyTo);
    return undefined;
  }

  private begin(definition: ShapeDefinition, replyTo: ReplyTo): Message {
    const handle = this.unusedHandle(definition);
    this.shapeLogs.create(handle, definition);
    this.enter(handle, definition, [replyTo]);
    return { type: 'shape.reserved', handle, mode: 'create', relation: definition.relation };
  }

  private unusedHandle(definition: ShapeDefinition): Handle {
    const epochMicros = this.clock.epochMicros();
    for (let later = 0; ; later += 1) {
      const handle = newHandle(definition, epochMicros + later);
      if (!this.entries.has(handle) && this.shapeLogs.get(handle) === undefined) return handle;
    }
  }

  private enter(handle: Handle, definition: ShapeDefinition, waiting: ReplyTo[]): void {
    const key = definitionKey(definition);
    this.entries.set(handle, { definition, key, state: 'starting', why: '', isTold: false, waiting });
    this.counts.starting += 1;
    this.handles.set(key, handle);
  }

  private started(handle: Handle, pid: Pid): Message {
    const entry = this.entryOf(handle);
    entry.pid = pid;
    this.processes.set(pid, handle);
    const replies = entry.waiting;
    entry.waiting = [];
    if (entry.state === 'condemned') return { type: 'shape.condemned', handle, pids: [pid], replies, why: entry.why };
    this.change(entry, 'live');
    return { type: 'shape.started', handle, pid, replies };
  }

  private refused(handle: Handle, why: string): Message {
    const replies = this.entryOf(handle).waiting;
    this.forget(handle, why);
    return { type: 'shape.refused', handle, why, replies };
  }

  private condemnOnRequest(handle: Handle, why: string, replyTo: ReplyTo): Message {
    const entry = this.entries.get(handle);
    if (entry === undefined || entry.state === 'condemned') return { type: 'shape.unknown', handle, replyTo };
    this.makeUnfindable(handle, entry, why);
    return { type: 'shape.condemned', handle, pids: entry.pid === undefined ? [] : [entry.pid], replies: [replyTo], why };
  }

  /** A Consumer ended: by its cause the shape is kept for a restart of ours, or it goes. */
  private down(pid: Pid, reason: ExitReason): Message {
    const handle = this.processes.get(pid);
    invariant(handle !== undefined, `a Consumer that ends was entered: ${pid}`);
    this.processes.delete(pid);
    const entry = this.entryOf(handle);
    const cause = downCause(reason);
    if (cause.type === 'drain' && this.canGoOn(handle, entry)) return this.startAgain(handle, entry);
    this.noteFailure(handle, reason);
    const why = entry.state === 'condemned' ? entry.why : cause.type === 'delete' ? cause.why : cause.type;
    this.forget(handle, why);
    const missed = this.newlyMissed(entry.definition, reason);
    return { type: 'shape.gone', handle, why, isTold: entry.isTold, ...(missed === undefined ? {} : { missed }) };
  }

  private noteFailure(handle: Handle, reason: ExitReason): void {
    const error = snapshotFailure(reason);
    if (error !== undefined) setBounded(this.failures, handle, error, FAILURES_MAX);
  }

  /** Undefined when the shape did not end of missed changes, or an operator was told of these when another shape did. */
  private newlyMissed({ relation: { oid, schema, name } }: ShapeDefinition, reason: ExitReason): MissedChanges | undefined {
    const gap = gapOf(reason);
    if (gap === undefined || this.toldMissed.get(oid) === gap.lsn) return undefined;
    setBounded(this.toldMissed, oid, gap.lsn, TOLD_MAX);
    return { table: { schema, name }, why: gap.delete, xid: gap.xid, lsn: gap.lsn };
  }

  /** What was stored is good and the shape is wanted: only a snapshot cannot be gone on with. */
  private canGoOn(handle: Handle, entry: Entry): boolean {
    return entry.state !== 'condemned' && this.shapeLogs.get(handle)?.snapshot.state === 'complete';
  }

  /** We are still here, so the service is not stopping: the Consumer lost somebody whom it needed. */
  private startAgain(handle: Handle, entry: Entry): Message {
    this.change(entry, 'starting');
    return { type: 'shape.reserved', handle, mode: 'restore', relation: entry.definition.relation };
  }

  /**
   * One stored shape after the other, so that no message ever lists them all. A Consumer that ended while others were
   * restored is on its way once more: the log must not move before it is there.
   */
  private restoreNext(): Message | undefined {
    this.unrestored ??= [...this.shapeLogs.all()].map(({ handle }) => handle);
    for (let handle = this.unrestored.pop(); handle !== undefined; handle = this.unrestored.pop()) {
      const stored = this.shapeLogs.get(handle);
      invariant(stored !== undefined, `nothing deletes ${handle} before it was restored`);
      if (stored.snapshot.state !== 'complete') {
        this.dropHalf(handle);
        continue;
      }
      this.enter(handle, stored.definition, []);
      return { type: 'shape.reserved', handle, mode: 'restore', relation: stored.definition.relation };
    }
    return this.counts.starting > 0 ? undefined : { type: 'shapes.restored', count: this.size };
  }

  /** Who wrote this snapshot ended with the processes before us, and half of one can only be begun anew. */
  private dropHalf(handle: Handle): void {
    this.shapeLogs.delete(handle, 'its snapshot was not complete');
    this.listener.rotated(handle);
  }

  private purge(why: string, replyTo: ReplyTo): Message {
    this.purgers.push(replyTo);
    return this.condemnAll(this.entries.keys(), why);
  }

  private condemnShapes(handles: readonly Handle[], why: string): Message | undefined {
    const condemned = this.condemnAll(handles, why);
    return condemned.count === 0 ? undefined : condemned;
  }

  /** Those that are gone or condemned already are left out. */
  private condemnAll(handles: Iterable<Handle>, why: string) {
    let count = 0;
    const pids: Pid[] = [];
    const relations = new Set<string>();
    for (const handle of handles) {
      const entry = this.entries.get(handle);
      if (entry === undefined || entry.state === 'condemned') continue;
      this.makeUnfindable(handle, entry, why);
      entry.isTold = true;
      count += 1;
      if (entry.pid !== undefined) pids.push(entry.pid);
      const { schema, name } = entry.definition.relation;
      if (relations.size < NAMED_MAX) relations.add(`${schema}.${name}`);
    }
    return { type: 'shapes.condemned', pids, why, count, relations: [...relations] };
  }

  /** A shape is gone when its deletion stands in the log: only then does no restart of ours bring it back. */
  private countCondemned(): Message | undefined {
    if (this.purgers.length === 0 || this.counts.condemned > 0) return undefined;
    const replies = this.purgers;
    this.purgers = [];
    return { type: 'shapes.purged', replies };
  }

  private makeUnfindable(handle: Handle, entry: Entry, why: string): void {
    this.change(entry, 'condemned');
    entry.why = why;
    if (this.handles.get(entry.key) === handle) this.handles.delete(entry.key);
    this.listener.rotated(handle);
  }

  private forget(handle: Handle, why: string): void {
    const entry = this.entryOf(handle);
    if (entry.state !== 'condemned') this.makeUnfindable(handle, entry, why);
    this.entries.delete(handle);
    this.counts.condemned -= 1;
    this.shapeLogs.delete(handle, why);
  }

  private change(entry: Entry, state: EntryState): void {
    this.counts[entry.state] -= 1;
    this.counts[state] += 1;
    entry.state = state;
  }

  private entryOf(handle: Handle): Entry {
    const entry = this.entries.get(handle);
    invariant(entry !== undefined, `the directory knows ${handle}`);
    return entry;
  }
}

/** The newest entries are kept. */
function setBounded<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, sizeMax: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > sizeMax && oldest !== undefined) map.delete(oldest);
}
