/** Who answers the processes of a hand-over from its world: the stand-ins for the log, the database, the supervisor and the directory. */
import { downCause, hasSlept } from '../../../src/actors/down-cause.ts';
import { invariant } from '../../../src/base/invariant.ts';
import type { LogRange } from '../../../src/model/log-position.ts';
import type { Address, ExitReason, Message } from '../../../src/otp/process.ts';
import type { Answer, Port, StartArgs } from '../checker/system.ts';
import { checkpoints, shapeReader } from '../stand-ins.ts';
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

/**
 * A shape whose Consumer did not drain is deleted, and one that is touched while it sleeps gets the next. Until it is told of an end it
 * knows nothing but that the shape is there.
 */
const directory: Port<HandOverModel> = {
  name: '@shape-cache',
  computes: 'delivered',
  handle(world, request) {
    if (request.type === 'confirmHandle') return { reply: { type: world.shapeLog === undefined ? 'handle.isGone' : 'handle.isKept' } };
    if (request.type === 'shapes.touched') return world.live('shape.touched') ? START : {};
    if (request.type === 'shapes.idle') return letSleep(world, request);
    if (request.type === 'shapes.stayed') return stayed(world, request);
    const reason = endOf(request);
    if (hasSlept(reason)) return world.live('consumer.slept') ? START : {};
    world.noteEnd(downCause(reason).type === 'drain');
    return {};
  },
};

function letSleep(world: HandOverModel, request: Message): Answer {
  if (!world.letSleep(consumerIn(request))) return {};
  return { sends: [{ to: '@shape-log-collector', event: { ...request, type: 'shapes.mayRest' } }] };
}

function stayed(world: HandOverModel, request: Message): Answer {
  world.stay(consumerIn(request));
  return {};
}

function consumerIn({ consumers }: Message): string {
  return String((consumers as readonly unknown[])[0]);
}

const START: Answer = { start: { role: 'consumer' } };

function endOf(told: Message): ExitReason {
  invariant(told.type === 'ended', 'the directory is asked, or told of an end');
  return told['reason'] as ExitReason;
}

export const handOverPorts = [logReader, shapeReader, checkpoints, publicationManager, snapshots, consumers, directory];
