/** What stands around a splice with one cure taken out: the query's answer, the values by version, the index of routing. */
import type { ConsumerPorts } from '../../../src/actors/consumer/consumer-ports.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import type { MemberMove, MoveTeller } from '../../../src/shapes/member-moves.ts';
import type { MoveKind } from '../../../src/shapes/move-event.ts';
import type { Moved, VersionedValues } from '../../../src/shapes/versioned-values.ts';
import { isMark } from '../../../src/sql/subqueries/membership.ts';
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../../../src/model/log-offset.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { Fork } from '../../../src/base/fork.ts';
import type { Message, Pid, Table } from '../../../src/otp/process.ts';
import type { Port, System } from '../checker/system.ts';
import { SpliceModel } from '../splices/splice-model.ts';
import { storedShapes, type SettledShape, type SpliceSetting } from '../splices/splice-setting.ts';
import { INNER, OUTER } from '../splices/splice-shapes.ts';
import { WorldFork } from '../checker/world-fork.ts';
import { consumerTables, materializerTables, type PortsChange } from '../splices/splice-tables.ts';

type Splices = System<SpliceModel>;

const EVERYTHING = { xmin: '4000', xmax: '4000', xip: [] };

/** Cut by position: every transaction that lies before the snapshot in the WAL counts as seen. */
export function withCutByPosition(system: Splices): Splices {
  return withQueries(system, (port) => ({
    ...port,
    handle(world, request) {
      const { reply } = port.handle(world, request);
      if (reply?.type !== 'moves.queried') return reply === undefined ? {} : { reply };
      return { reply: { ...reply, pgSnapshot: { ...(reply['pgSnapshot'] as object), ...EVERYTHING } } };
    },
  }));
}

/** The first snapshot is taken, whatever the shape has taken that it does not see. */
export function withOldSnapshots(system: Splices): Splices {
  return withQueries(system, (port) => ({ ...port, isReady: () => true }));
}

function withQueries(system: Splices, change: (port: Port<SpliceModel>) => Port<SpliceModel>): Splices {
  return { ...system, ports: system.ports.map((port) => (port.name === '@move-queries' ? change(port) : port)) };
}

/** Each coming and going of a value is told, though at the end it is where it was. */
export function withEveryMove(system: Splices): Splices {
  return withValues(system, (values, world) => everyMove(values, world.shape(INNER)?.state.lines?.map(({ offset }) => offset) ?? []));
}

function everyMove(values: VersionedValues, offsets: readonly LogOffset[]): VersionedValues {
  return {
    ...asked(values),
    movesBetween(after, through) {
      const between = offsets.filter((offset) => compareOffsets(offset, after) > 0 && compareOffsets(offset, through) <= 0);
      const steps = between.map((offset, index): Moved => values.movesBetween(between[index - 1] ?? after, offset));
      const { xids } = values.movesBetween(after, through);
      return { movedIn: steps.flatMap(({ movedIn }) => movedIn), movedOut: steps.flatMap(({ movedOut }) => movedOut), xids };
    },
  };
}

/** What the outer Consumer asks of the values. */
function withValues(system: Splices, change: (values: VersionedValues, world: SpliceModel) => VersionedValues): Splices {
  return withPorts(system, (ports, world) => ({
    ...ports,
    valuesOf: (materializer) => {
      const values = ports.valuesOf(materializer);
      return values && change(values, world);
    },
  }));
}

/** What its table reaches. */
function withPorts(system: Splices, change: PortsChange): Splices {
  const tables = consumerTables(OUTER, change);
  return { ...system, roles: system.roles.map((role) => (role.name === 'outer' ? { ...role, tables } : role)) };
}

/** A shape that ends goes on to tell how far the others are: what moves from then on reaches it later. */
export function withEndsInPace(system: Splices): Splices {
  return withShapeLog(system, (shapeLog) => ({
    leavePace: (at) => {
      if (at !== LSN_ZERO) shapeLog.leavePace(at);
    },
  }));
}

/** A Consumer that begins does not know where the last splice stood, but by the lines that are there. */
export function withLostFloor(system: Splices): Splices {
  return withShapeLog(system, () => ({ placedBehind: BEFORE_ALL }));
}

/** A shape that comes back is told nothing of what its readers may have seen. */
export function withNothingShown(system: Splices): Splices {
  const roles = system.roles.map((role) => {
    if (role.name !== 'outer') return role;
    const input: typeof role.input = (world, args) => ({ ...role.input(world, args), shownThrough: world.shape(OUTER)?.position });
    return { ...role, input };
  });
  return { ...system, roles };
}

type ShapeLogPort = ConsumerPorts['shapeLog'];

function withShapeLog(system: Splices, change: (shapeLog: ShapeLogPort) => Partial<ShapeLogPort>): Splices {
  return withPorts(system, (ports) => ({ ...ports, shapeLog: overlaid(ports.shapeLog, change(ports.shapeLog)) }));
}

/** All else is that of `shapeLog`, as it is when it is asked. */
function overlaid(shapeLog: ShapeLogPort, changed: Partial<ShapeLogPort>): ShapeLogPort {
  return new Proxy(shapeLog, {
    get(target, name) {
      const found: unknown = Reflect.get(name in changed ? changed : target, name);
      return typeof found === 'function' && !(name in changed) ? found.bind(target) : found;
    },
  });
}

function asked(values: VersionedValues): VersionedValues {
  const { width, offset } = values;
  return {
    width,
    offset,
    has: values.has.bind(values),
    movesThrough: values.movesThrough.bind(values),
    movesBetween: values.movesBetween.bind(values),
  };
}

/** Whether NULL is selected, and whether anything is, is asked of the last version, whatever the shape looks at. */
export function withPresentMarks(system: Splices): Splices {
  return withValues(system, (values) => ({
    ...asked(values),
    has: (value, at) => values.has(value, isMark(value) ? values.offset : at),
  }));
}

/** That NULL comes or goes is left to events, as if they could name the rows for which that makes a difference. */
export function withNullInEvents(system: Splices): Splices {
  return withLines(system, (...made) => new NamingConverter(...made));
}

class NamingConverter extends ChangeConverter {
  override tellerOf(moves: readonly MemberMove[]): MoveTeller {
    return super.tellerOf(moves.map(withoutNull));
  }

  override askedRows(moves: readonly MemberMove[]): ReturnType<ChangeConverter['askedRows']> {
    return super.askedRows(moves.map(withoutNull));
  }

  override moveEvent(event: MoveKind, moves: readonly MemberMove[], index: number): Uint8Array | undefined {
    return super.moveEvent(event, moves.map(withoutNull), index);
  }
}

function withoutNull({ before, after, ...move }: MemberMove): MemberMove {
  return { ...move, before, after: { ...after, hasNull: before.hasNull } };
}

/** Values are forgotten as soon as they have moved, whoever still looks at an earlier version. */
export function withForgottenVersions(system: Splices): Splices {
  return withTables(system, 'materializer', (_, self, world) => materializerTables(self, world, () => undefined));
}

/** Values are kept for the one that has come furthest of those that look them up. */
export function withFurthestView(system: Splices): Splices {
  return withTables(system, 'materializer', (_, self, world) => materializerTables(self, world, furthestView));
}

function furthestView({ setting, shapes }: SpliceModel): LogOffset | undefined {
  const views = setting.shapes.flatMap(({ handle }) => shapes.get(handle)?.storedViews ?? []);
  return views.sort(compareOffsets).at(-1);
}

/** What a shape tells is its own place, wherever those are on which it depends. */
export function withOwnPlaces(system: Splices): Splices {
  return withSetting(system, (setting) => ({ ...setting, stored: storedShapes(setting, () => []) }));
}

/** Of a splice that is told row by row no row is the last. */
export function withEndlessSplices(system: Splices): Splices {
  return withLines(system, (...made) => new EndlessConverter(...made));
}

class EndlessConverter extends ChangeConverter {
  override lastMovedLine(line: Uint8Array): Uint8Array {
    return line;
  }
}

/** What a value left is routed by at once, though a shape may still look at a version that has it. */
export function withNarrowIndex(system: Splices): Splices {
  return withTables(system, 'materializer', ({ values, ...others }, _, world) => {
    return values === undefined ? others : { ...others, values: new Narrowing(values, world) };
  });
}

class Narrowing implements Table {
  constructor(
    private readonly values: Table,
    private readonly world: SpliceModel,
  ) {}

  apply(change: unknown): Message | undefined {
    const told = this.values.apply(change);
    for (const [pid, table] of this.world.values) {
      const current = [...table.textsAt(table.offset)];
      for (const value of ['a', 'b']) if (!current.includes(value)) this.world.listing(this.world.planOf(pid)).remove(value);
    }
    return told;
  }

  clone(fork: Fork): Narrowing {
    return new Narrowing(this.values.clone(fork), WorldFork.worldOf(fork));
  }

  key(): string {
    return this.values.key();
  }

  close(): void {
    this.values.close?.();
  }
}

/** Other lines of the shapes that depend on others. */
function withLines(system: Splices, make: (...made: ConstructorParameters<typeof ChangeConverter>) => ChangeConverter): Splices {
  return withSetting(system, (setting) => {
    const layoutOf = setting.log.layoutOf.bind(setting.log);
    const lines = ({ definition, where }: SettledShape): ChangeConverter => make(definition, where, layoutOf, undefined, (text) => text);
    const shapes = setting.shapes.map((shape) => (shape.keeper === undefined ? shape : { ...shape, lines: lines(shape) }));
    return { ...setting, shapes };
  });
}

function withSetting(system: Splices, change: (setting: SpliceSetting) => SpliceSetting): Splices {
  return { ...system, world: new SpliceModel(change(system.world.setting)) };
}

type Tables = Readonly<Record<string, Table>>;

function withTables(system: Splices, name: string, change: (tables: Tables, self: Pid, world: SpliceModel) => Tables): Splices {
  const roles = system.roles.map((role) => {
    if (role.name !== name) return role;
    return { ...role, tables: (self: Pid, world: SpliceModel) => change(role.tables(self, world), self, world) };
  });
  return { ...system, roles };
}
