/**
 * HandleModel: the world of handles as a value. The stored shapes, the publication of their tables, who runs under the supervisor
 * of the Consumers, and the tables of processes that others read: the directory, and the values that Materializers keep.
 *
 * Nobody writes to the tables of the database, so logs have no lines. What is stored is durable at once.
 */
import type { LinkValues } from '../../../src/actors/link-values.ts';
import type { ShapeDirectory } from '../../../src/actors/directory/shape-directory.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { placeAt, type EntryPlace } from '../../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import { definitionKey, type Handle, type ShapeDefinition } from '../../../src/model/shape.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';
import { ModelPublication } from '../../support/actors/model-publication.ts';
import { TABLES } from '../../support/layers/layered-shapes.ts';
import { ModelShapeLogs, type ModelShapeLog } from '../../support/storage/model-shape-logs.ts';
import type { World } from '../checker/system.ts';
import { WorldFork } from '../checker/world-fork.ts';
import type { HandleSetting, ShapeName } from './handle-setting.ts';
import type { Purpose } from './request-ways.ts';

/** A handle that was given to a definition. */
interface Made {
  readonly handle: Handle;
  readonly name: ShapeName;
  readonly dependsOn: readonly Handle[];
}

/** A handle that serves no more, as its shape was then. */
interface Retired {
  readonly handle: Handle;
  /** It had its whole snapshot. */
  readonly isWhole: boolean;
  /** No client had asked for it, and nobody depended on it any more. */
  readonly isForsaken: boolean;
}

/** What a client asks for. */
export interface Asked {
  readonly purpose: Purpose;
  readonly name: ShapeName;
  /** The one that it names. */
  readonly handle?: Handle;
}

interface Parked {
  readonly reader: Pid;
  readonly handle: Handle;
}

interface Remembered {
  /** By role, the requests that have come. */
  readonly asked: Readonly<Record<string, Asked>>;
  readonly made: readonly Made[];
  /** As often as readers were told. */
  readonly retired: readonly Retired[];
  /** Shapes that something from outside has ended, besides the death of a process. */
  readonly struck: readonly Handle[];
  /** Roles under the supervisor of the Consumers that were killed, as it knows. */
  readonly killed: readonly string[];
  /** Shapes that were drained. */
  readonly drained: readonly Handle[];
  /** Who runs under the supervisor of the Consumers, by id, as it knows. */
  readonly children: Readonly<Record<string, Pid>>;
  /** How often each role was started. */
  readonly incarnations: Readonly<Record<string, number>>;
  /** Requests that wait for a change, and those that are to hear that their log is over. */
  readonly parked: readonly Parked[];
  readonly woken: readonly Pid[];
  /** The next query of a snapshot fails. */
  readonly refusesQuery: boolean;
  /** What followers were told that they can take, and have not taken. */
  readonly historyRead: Readonly<Record<string, EntryPlace>>;
}

const NOTHING: Remembered = {
  asked: {}, made: [], retired: [], struck: [], killed: [], drained: [], children: {}, incarnations: {}, parked: [], woken: [],
  refusesQuery: false, historyRead: {},
};
/** Sees nothing, and nothing is to be seen. */
const EMPTY = { xmin: '700', xmax: '700', xip: [], insertLsn: LSN_ZERO };

export class HandleModel implements World<HandleModel> {
  constructor(
    readonly setting: HandleSetting,
    public is: Remembered = NOTHING,
    readonly shapes = new ModelShapeLogs(),
    readonly publication = publicationOf(TABLES),
    readonly history = new ShapeBlocks(),
    readonly values = new Map<Pid, LinkValues>(),
    public directory: ShapeDirectory | undefined = undefined,
  ) {}

  /** The tables go over to the copy. */
  clone(): HandleModel {
    const fork: WorldFork<HandleModel> = new WorldFork(() => copy);
    const { setting, is, shapes, publication, history } = this;
    const copy: HandleModel = new HandleModel(setting, is, shapes.clone(fork), publication.clone(), history.clone(fork));
    for (const [pid, values] of this.values) copy.values.set(pid, values.clone(fork));
    copy.directory = this.directory?.clone(fork);
    return copy;
  }

  key(): string {
    const values = Array.from(this.values, ([pid, table]) => [pid, table.key()]).sort();
    return JSON.stringify([this.is, this.shapes.key(), this.publication.key(), values, this.directory?.key() ?? null]);
  }

  get theDirectory(): ShapeDirectory {
    invariant(this.directory !== undefined, 'requests come while the service can be read');
    return this.directory;
  }

  // --- the stored shapes

  /** As a clock that never stands still. */
  nextNumber(): number {
    return this.is.made.length + 1;
  }

  create(handle: Handle, definition: ShapeDefinition, dependsOn: readonly Handle[], isInner: boolean): ModelShapeLog {
    this.is = { ...this.is, made: [...this.is.made, { handle, name: this.nameOf(definition), dependsOn }] };
    return this.shapes.create(handle, definition, dependsOn, isInner);
  }

  nameOf(definition: ShapeDefinition): ShapeName {
    return definitionKey(definition) === definitionKey(this.setting.definitions.inner) ? 'inner' : 'outer';
  }

  readingOf(handle: Handle): 'gone' | 'notStarted' | 'entries' {
    const shape = this.shapes.get(handle);
    if (shape === undefined) return 'gone';
    return shape.snapshot.state === 'complete' ? 'entries' : 'notStarted';
  }

  /** @returns whether there was a shape, and the query did not fail. */
  takeSnapshot(handle: Handle): 'taken' | 'gone' | 'refused' {
    const shape = this.shapes.get(handle);
    if (shape === undefined) return 'gone';
    if (this.is.refusesQuery) {
      this.is = { ...this.is, refusesQuery: false, struck: [...this.is.struck, handle] };
      return 'refused';
    }
    shape.takeSnapshot(EMPTY);
    return 'taken';
  }

  // --- what happens from outside

  strike(handles: Iterable<Handle>): void {
    this.is = { ...this.is, struck: [...this.is.struck, ...handles] };
  }

  noteDrain(handle: Handle): void {
    // A snapshot that is not complete cannot be gone on with.
    if (this.shapes.get(handle)?.snapshot.state !== 'complete') this.strike([handle]);
    this.is = { ...this.is, drained: [...this.is.drained, handle] };
  }

  takeOut(name: ShapeName): void {
    this.publication.takeOut(this.setting.definitions[name].relation.name);
  }

  refuseQuery(): void {
    this.is = { ...this.is, refusesQuery: true };
  }

  /**
   * Every process is gone, and with it whatever only processes knew: that a shape was condemned too, as long as its Consumer had not ended.
   */
  crash(): void {
    this.strike(Array.from(this.shapes.all()).flatMap(({ handle, snapshot }) => (snapshot.state === 'complete' ? [] : [handle])));
    this.values.clear();
    this.directory = undefined;
    const retired = this.is.retired.filter(({ handle }) => this.shapes.get(handle) === undefined);
    this.is = { ...this.is, retired, children: {}, parked: [], woken: [], historyRead: {} };
  }

  // --- requests

  noteAsked(role: string, asked: Asked): void {
    this.is = { ...this.is, asked: { ...this.is.asked, [role]: asked } };
  }

  noteRetired(handle: Handle): void {
    const { retired, parked, woken } = this.is;
    const waiting = parked.filter((each) => each.handle === handle).map(({ reader }) => reader);
    const entry = { handle, isWhole: this.shapes.get(handle)?.snapshot.state === 'complete', isForsaken: this.isForsaken(handle) };
    const others = parked.filter((each) => each.handle !== handle);
    this.is = { ...this.is, retired: [...retired, entry], woken: [...woken, ...waiting].sort(), parked: others };
  }

  private isForsaken(handle: Handle): boolean {
    const { made, retired } = this.is;
    const outer = made.filter(({ dependsOn }) => dependsOn.includes(handle));
    return this.shapes.get(handle)?.isInner === true && outer.every((each) => retired.some((gone) => gone.handle === each.handle));
  }

  park(reader: Pid, handle: Handle): void {
    const parked = [...this.is.parked, { reader, handle }].sort((one, other) => (one.reader < other.reader ? -1 : 1));
    this.is = { ...this.is, parked };
  }

  leave(leaver: Pid): void {
    const { parked, woken } = this.is;
    this.is = { ...this.is, parked: parked.filter(({ reader }) => reader !== leaver), woken: woken.filter((each) => each !== leaver) };
  }

  // --- the supervisor of the Consumers

  /** @returns the pid that it will have. */
  noteChild(id: string, role: string): Pid {
    const incarnation = (this.is.incarnations[role] ?? 0) + 1;
    const pid = `${role}#${incarnation}` as Pid;
    const { children, incarnations } = this.is;
    this.is = { ...this.is, children: { ...children, [id]: pid }, incarnations: { ...incarnations, [role]: incarnation } };
    return pid;
  }

  noteChildEnded(role: string, wasKilled: boolean): void {
    const { children, killed } = this.is;
    const ended = Object.keys(children).filter((id) => children[id]?.startsWith(`${role}#`));
    this.is = { ...this.is, children: without(children, ended), killed: wasKilled ? [...killed, role] : killed };
  }

  // --- what a Materializer reads

  readHistory(owner: string, after: EntryPlace, through: LogOffset): EntryPlace | undefined {
    invariant(through === SNAPSHOT_END, 'there is nothing behind a snapshot');
    const end = placeAt(through);
    this.history.put(owner, { after, through: end }, []);
    this.is = { ...this.is, historyRead: { ...this.is.historyRead, [owner]: end } };
    return end;
  }

  takeHistory(...asked: Parameters<ShapeBlocks['take']>): ReturnType<ShapeBlocks['take']> {
    this.is = { ...this.is, historyRead: without(this.is.historyRead, [asked[0]]) };
    return this.history.take(...asked);
  }

  closeHistory(owner: Pid): void {
    this.is = { ...this.is, historyRead: without(this.is.historyRead, [owner]) };
    this.history.close(owner);
  }
}

function publicationOf(tables: readonly { readonly name: string }[]): ModelPublication {
  const publication = new ModelPublication();
  for (const { name } of tables) publication.relation(name);
  return publication;
}

function without<Kind>(entries: Readonly<Record<string, Kind>>, names: readonly string[]): Readonly<Record<string, Kind>> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => !names.includes(name)));
}
