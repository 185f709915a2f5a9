/** Who answers the processes of a world of handles: the stand-ins for the log, the database, and the supervisor of the Consumers. */
import { NO_CONNECTION } from '../../../src/actors/snapshot-fault.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Address, Message } from '../../../src/otp/process.ts';
import type { Answer, Port, StartArgs } from '../checker/system.ts';
import { shapeReader } from '../stand-ins.ts';
import type { HandleModel } from './handle-model.ts';
import { numberOf } from './handle-setting.ts';

/** Nothing is ever in the log. */
const logReader: Port<HandleModel> = {
  name: '@log-reader',
  computes: 'asked',
  handle: () => ({ reply: { type: 'log.end', through: LOG_START, lsn: LSN_ZERO } }),
};

const publication: Port<HandleModel> = {
  name: '@publication',
  computes: 'asked',
  handle: (world, request) => ({ reply: world.publication.answer(request) }),
};

const GONE = { code: 'schema_changed', message: 'the shape is gone', status: 409 };

/** How far a snapshot has come is told in three messages, each of which may come late. */
const snapshots: Port<HandleModel> = {
  name: '@snapshots',
  computes: 'asked',
  handle(world, { handle, progressTo }): Answer {
    const outcome = world.takeSnapshot(handle as Handle);
    if (outcome !== 'taken') return { reply: { type: 'snapshot.failed', error: outcome === 'gone' ? GONE : NO_CONNECTION } };
    const progress = [{ type: 'snapshot.known', pgSnapshot: world.shapes.get(handle as Handle)?.filterBy }, { type: 'snapshot.started' }];
    return { sends: progress.map((event) => ({ to: progressTo as Address, event })), reply: { type: 'snapshot.completed' } };
  },
};

interface ChildAsked {
  readonly template: ChildKind;
  readonly args: StartArgs & { readonly handle: Handle; readonly column?: string };
}

type ChildKind = 'consumer' | 'snapshotter' | 'materializer';

/**
 * As the one of `src/supervisors/shapes.ts`: a child has its id until its end has come to the supervisor, and none is made without
 * its shape.
 */
const consumers: Port<HandleModel> = {
  name: '@consumers',
  computes: 'asked',
  isProcess: true,
  handle(world, request) {
    if (request.type === 'ended') {
      world.noteChildEnded(String(request['role']), request['reason'] === 'killed');
      return {};
    }
    const { template, args } = request as Message & ChildAsked;
    const id = childIdOf(template, args);
    const running = world.is.children[id];
    if (running !== undefined) return { reply: { type: 'child.refused', id, reason: 'already_started', pid: running } };
    const shape = world.shapes.get(args.handle);
    if (shape === undefined) return { reply: { type: 'child.refused', reason: `no shape ${args.handle}` } };
    const role = roleOf(template, args.handle);
    world.noteChild(id, role);
    const { relation } = shape.definition;
    return { start: { role, args: template === 'snapshotter' ? { ...args, relation } : args }, reply: { type: 'child.started', id } };
  },
};

export function roleOf(kind: ChildKind, handle: Handle): string {
  return `${kind}-${numberOf(handle)}`;
}

function childIdOf(kind: ChildKind, { handle, column }: ChildAsked['args']): string {
  if (kind === 'consumer') return handle;
  return kind === 'snapshotter' ? `snapshotter/${handle}` : `materializer/${handle}/${column}`;
}

export const handlePorts = [logReader, shapeReader, publication, snapshots, consumers];
