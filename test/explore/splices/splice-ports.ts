/** Who answers the processes of the shapes from their world: the stand-ins for log, database, supervisor and directory. */
import { downCause } from '../../../src/actors/down-cause.ts';
import { invariant } from '../../../src/base/invariant.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { LogRange } from '../../../src/model/log-position.ts';
import { compareLsn, type Lsn } from '../../../src/model/lsn.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { ExitReason, Message } from '../../../src/otp/process.ts';
import type { Runtime } from '../../../src/otp/runtime.ts';
import { moveTarget } from '../../../src/service/wiring/move-target.ts';
import type { ChunkSums } from '../../../src/storage/shapes/piece.ts';
import { changeBytes } from '../../support/actors/changes.ts';
import type { Port, StartArgs } from '../checker/system.ts';
import { checkpoints, shapeReader } from '../stand-ins.ts';
import type { SpliceModel } from './splice-model.ts';
import { shapeIn } from './splice-setting.ts';
import { keepersOf } from './splice-shapes.ts';

/** Reads blocks of what is durable, which never changes: so an answer may be computed when it is asked for. */
const logReader: Port<SpliceModel> = {
  name: '@log-reader',
  computes: 'asked',
  handle(world, request) {
    if (request.type === 'logEnd') return { reply: { type: 'log.end', ...world.durable } };
    const { answer, block } = world.log.read(request.type, request as unknown as LogRange);
    if (block !== undefined) world.loaded.set(String(request['owner']), block);
    return { reply: answer };
  },
};

/**
 * Whatever committed before the LSN is in the durable log when it answers. A record is durable when the sync that it waits for is over:
 * until then a power cut loses it.
 */
const logWriter: Port<SpliceModel> = {
  name: '@log-writer',
  computes: 'delivered',
  isReady: ({ durable }, { type, lsn }) => type === 'syncSplice' || compareLsn(durable.lsn, lsn as Lsn) >= 0,
  handle(world, { type }) {
    if (type === 'awaitPassed') return { reply: { type: 'log.hasPassed', through: world.durable.through } };
    world.noteSynced();
    return { reply: { type: 'splice.isDurable' } };
  },
};

/** The rows of a recorded splice, which never change. */
const splices: Port<SpliceModel> = {
  name: '@splices',
  computes: 'delivered',
  handle(world, { owner, handle }) {
    const next = world.shape(handle as Handle)?.nextSplice;
    const rows = next && world.movedOf(handle as Handle, next.number);
    if (rows === undefined) return { reply: { type: 'moved.refused', why: 'the shape is gone' } };
    world.movedRows.set(String(owner), rows);
    return { reply: { type: 'moved.read', through: Buffer.byteLength(rows) } };
  },
};

const NOBODY = { code: 'gone', message: 'nobody keeps the values', status: 503 };

/** The query's snapshot is taken in a step of its own, as soon as one sees what the shape has taken; what it found is told later. */
const moveQueries: Port<SpliceModel> = {
  name: '@move-queries',
  computes: 'delivered',
  isReady(world, request) {
    return isItsTurn(world, request) && targetOf(world, request)?.target.isNewEnough(world.pgSnapshot()) !== false;
  },
  handle(world, request) {
    const made = targetOf(world, request);
    if (made === undefined) return { reply: { type: 'moves.failed', error: NOBODY } };
    const { table } = shapeIn(world.setting, request['handle'] as Handle);
    const found = world.visibleRows(table).map((row) => changeBytes({ kind: 'insert', new: row, layoutId: 0, position: 0 }));
    void made.target.rows(Buffer.concat(found)); // What it does, it does at once.
    return { reply: { type: 'moves.queried', pgSnapshot: world.pgSnapshot(), rows: made.complete() } };
  },
};

/** Whoever is slow waits while the other has something to take. */
function isItsTurn({ setting, shapes, values, is }: SpliceModel, { handle }: Message): boolean {
  const { waitsFor } = shapeIn(setting, handle as Handle);
  const [view] = (waitsFor !== undefined && is.running.includes(waitsFor) && shapes.get(waitsFor)?.storedViews) || [];
  return view === undefined || [...values.values()].every(({ offset }) => offset === view);
}

/** That of the service; where it writes is a part of the world, and there at once. */
function targetOf(world: SpliceModel, request: Message) {
  const { handle, views } = request as unknown as { readonly handle: Handle; readonly views: readonly LogOffset[] };
  const shape = world.shape(handle);
  if (shape === undefined) return undefined;
  const { log, setting } = world;
  const { where, lines, definition, dependsOn } = shapeIn(setting, handle);
  const written: string[] = [];
  const number = shape.splices.length + 1;
  const beginMoved = () => ({
    write: (rows: Uint8Array) => Promise.resolve(void written.push(Buffer.from(rows).toString())),
    complete: () => Promise.resolve(null),
  });
  const shapeLog = { definition, dependsOn, views: shape.views, position: shape.position, filterBy: shape.filterBy, beginMoved };
  const splicing = {
    seesShown: () => true,
    runtime: valuesIn(world),
    log: { firstUnseen: (snapshot: Parameters<typeof log.firstUnseen>[1]) => log.firstUnseen(world.is.arrived, snapshot) },
    shapeLog,
    lines,
    where,
  };
  const target = moveTarget(splicing, views);
  const complete = (): ChunkSums | null => {
    const rows = written.join('');
    world.putMoved(handle, number, rows);
    return rows === '' ? null : { bytes: Buffer.byteLength(rows), sums: [] };
  };
  return target && { target, complete };
}

/** Who keeps values is found by name. */
function valuesIn(world: SpliceModel): Pick<Runtime, 'tableOf'> {
  return { tableOf: (name) => [...world.values].find(([pid]) => world.planOf(pid).name === name)?.[1] };
}

/** Starts a Materializer, or says which one runs. */
const consumers: Port<SpliceModel> = {
  name: '@consumers',
  computes: 'delivered',
  isProcess: true,
  handle(world, request) {
    const args = request['args'] as StartArgs;
    const keeper = keepersOf(world.setting.shapes).find(({ follows, column }) => follows === args['handle'] && column === args['column']);
    invariant(keeper !== undefined, 'who keeps values is of the world');
    const { role, name: id } = keeper;
    const pid = world.keeper(role);
    if (pid !== undefined) return { reply: { type: 'child.refused', id, reason: 'alreadyStarted', pid } };
    world.startKeeper(role);
    return { start: { role, args }, reply: { type: 'child.started', id } };
  },
};

/** The supervisor learns of an end before it is asked again: else the search would be of how often somebody asks. */
const exits: Port<SpliceModel> = {
  name: '@consumers/exits',
  computes: 'asked',
  handle(world, { role }) {
    world.endKeeper(role as string);
    return {};
  },
};

/**
 * A shape whose Consumer did not drain is deleted. It knows of a drain when it was told of one: who asks before that hears that the
 * shape is gone, though the service's directory would still keep it. Then the outer shape would have the next Materializer started, and
 * the next, and the search would be of how often.
 */
const directory: Port<SpliceModel> = {
  name: '@shape-cache',
  computes: 'delivered',
  handle(world, request) {
    if (request.type === 'confirmHandle') {
      return { reply: { type: world.is.drained.includes(request['handle'] as Handle) ? 'handle.isKept' : 'handle.isGone' } };
    }
    invariant(request.type === 'ended', 'the directory is asked, or told of an end');
    const ended = world.setting.shapes.find(({ role }) => role === request['role']);
    invariant(ended !== undefined, 'it is told of Consumers');
    world.noteEnd(ended.handle, downCause(request['reason'] as ExitReason).type === 'drain');
    return {};
  },
};

export const splicePorts = [logReader, shapeReader, checkpoints, logWriter, splices, moveQueries, consumers, exits, directory];
