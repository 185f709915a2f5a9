/** Who answers the processes of a hand-over from its world: the stand-ins for the log, the database, the supervisor and the directory. */
import { downCause } from '../../../src/actors/down-cause.ts';
import { invariant } from '../../../src/base/invariant.ts';
import type { EntryPlace } from '../../../src/model/log-entry.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { LogRange } from '../../../src/model/log-position.ts';
import type { Address, ExitReason, Message, Pid } from '../../../src/otp/process.ts';
import type { Answer, Port, StartArgs } from '../checker/system.ts';
import { HANDLE, type HandOverModel } from './hand-over-model.ts';

/** Reads blocks of what is durable, which never changes: so an answer may be computed when it is asked for. */
const logReader: Port<HandOverModel> = {
  name: '@log-reader',
  computes: 'asked',
  handle(world, request) {
    if (request.type === 'logEnd') return { reply: { type: 'log.end', ...world.log.endOf(world.is.committed) } };
    const { answer, block } = world.log.read(request.type, request as unknown as LogRange);
    if (block !== undefined) world.loaded.set(String(request['owner']), block);
    return { reply: answer };
  },
};

interface BlockAsked {
  readonly owner: Pid;
  readonly after: EntryPlace;
  readonly through: LogOffset;
}

/** What can be read up to an offset that was given out stays as it is, until the shape goes; and of that a DOWN tells. */
const shapeReader: Port<HandOverModel> = {
  name: '@shape-reader',
  computes: 'asked',
  handle(world, request) {
    const { owner, after, through } = request as unknown as BlockAsked;
    const end = world.readHistory(owner, after, through);
    return { reply: end === undefined ? { type: 'history.isGone' } : { type: 'history.blockRead', after, through: end } };
  },
};

/** Nothing lies on a disk. */
const checkpoints: Port<HandOverModel> = {
  name: '@checkpoints',
  computes: 'asked',
  handle: () => ({ reply: { type: 'lines.spilled' } }),
};

const publicationManager: Port<HandOverModel> = {
  name: '@publication-manager',
  computes: 'asked',
  handle: () => ({ reply: { type: 'relation.published' } }),
};

/** The query has its snapshot in a step of its own; how far it has come is told in three messages, each of which may come late. */
const snapshots: Port<HandOverModel> = {
  name: '@snapshots',
  computes: 'delivered',
  handle(world, { progressTo }): Answer {
    const pgSnapshot = world.takeSnapshot();
    const error = { code: 'schema_changed', message: 'the shape is gone' };
    if (pgSnapshot === undefined) return { reply: { type: 'snapshot.failed', error } };
    const progress = [{ type: 'snapshot.known', pgSnapshot }, { type: 'snapshot.started' }];
    return { sends: progress.map((event) => ({ to: progressTo as Address, event })), reply: { type: 'snapshot.completed' } };
  },
};

/** Starts what it is asked to start, and says so when that has begun. */
const consumers: Port<HandOverModel> = {
  name: '@consumers',
  computes: 'delivered',
  handle(_, { template, args }): Answer {
    const role = String(template);
    return { start: { role, args: args as StartArgs }, reply: { type: 'child.started', id: `${role}/${HANDLE}` } };
  },
};

/** A shape whose Consumer did not drain is deleted. It knows of a drain when it was told of one. */
const directory: Port<HandOverModel> = {
  name: '@shape-cache',
  computes: 'delivered',
  handle(world, request) {
    if (request.type === 'confirmHandle') return { reply: { type: world.is.hasDrained ? 'handle.isKept' : 'handle.isGone' } };
    world.noteEnd(downCause(endOf(request)).type === 'drain');
    return {};
  },
};

function endOf(told: Message): ExitReason {
  invariant(told.type === 'ended', 'the directory is asked, or told of an end');
  return told['reason'] as ExitReason;
}

export const handOverPorts = [logReader, shapeReader, checkpoints, publicationManager, snapshots, consumers, directory];
