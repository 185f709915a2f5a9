/**
 * Serving a subset: rows as they are now, beside the log that the client follows.
 *
 * The client joins both by what the rows show. So the offset that it is told must be one that it has read up to, and no later one: it
 * goes on from there, and what lies between would be lost for all other rows that it holds.
 */
import type { StopSignal } from '../../base/stop-signal.ts';
import { BEFORE_ALL, snapshotChunkEnd, type LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import type { ApiContext } from '../api-context.ts';
import type { ShapeTarget } from '../definition-cache.ts';
import { whenReady } from '../readiness.ts';
import { isRefusal, invalidSubset, movedMeanwhile, mustRefetch, type Refusal, subsetFailed } from '../refusal.ts';
import type { ReadParameters } from '../shape-parameters.ts';
import type { ShapeResponse } from '../shape-response.ts';
import { seeingNothing, subsetBody } from './subset-body.ts';
import type { SubsetQuery, SubsetRead, SubsetReader } from './subset-source.ts';

export interface SubsetReading {
  readonly context: ApiContext;
  readonly handle: Handle;
  readonly parameters: ReadParameters;
  readonly target: ShapeTarget;
  readonly subset: SubsetQuery;
  readonly signal: StopSignal;
}

const MARKS = 2 ** 31;
/** Postgres says so of a label that its type does not have. Clients look for the bare text. */
const NO_SUCH_LABEL = /^invalid input value for enum /;

export async function readSubset({ context, handle, parameters, target, subset, signal }: SubsetReading): Promise<ShapeResponse> {
  const { offset, live } = parameters;
  const mark = context.random.below(MARKS);
  const isNew = offset === 'now' || offset === BEFORE_ALL;
  const canMove = target.definition.dependencies !== undefined;
  const unready = canMove && !context.ports.subsets.isFollowed(handle) ? await whenReady(context, 'active') : undefined;
  if (unready !== undefined) return unready;
  const from = (end: LogOffset): LogOffset => followedFrom(offset, () => context.starts.startOf(handle, end, canMove));
  const fromBehind = (start: LogOffset, end: LogOffset): LogOffset => context.starts.startBehind(handle, start, end);
  const read = await readOrCondemned(context, { handle, isNew, from, fromBehind, mark, signal }, subset);
  if (read.outcome !== 'rows') return refusalOf(read, subset);
  const shown = read.mayLeaveOut ? read.pgSnapshot : seeingNothing(read.pgSnapshot);
  return {
    kind: 'subset',
    status: 200,
    handle,
    offset: read.from,
    ...(live ? {} : { schema: context.schemas.of(target) }),
    body: subsetBody(mark, shown, read.rows),
  };
}

/** What is told is looked up in the shape's log as well, and that may be damaged. */
async function readOrCondemned({ ports }: ApiContext, reader: SubsetReader, subset: SubsetQuery): Promise<SubsetRead> {
  try {
    return await ports.subsets.read(reader, subset);
  } catch (error) {
    const why = ports.logs.damageOf(error);
    if (why === undefined) throw error;
    await ports.shapes.condemn(reader.handle, why);
    return { outcome: 'over' };
  }
}

/**
 * The answer to a client that follows a log which is over. The client would take a successor's handle from it and keep its rows and its
 * offset, which are not of that log. Without one it goes on where it was, where it hears that it has to begin again.
 */
export function withoutSuccessor(answer: ShapeResponse): ShapeResponse {
  return isRefusal(answer) && answer.status === 409 ? mustRefetch() : answer;
}

/** Who begins at the beginning of the log may have to follow from where others begin, too: its end is noted as theirs are. */
function followedFrom(requested: LogOffset | 'now', startOfNew: () => LogOffset): LogOffset {
  if (requested !== 'now' && requested !== BEFORE_ALL) return requested;
  const start = startOfNew();
  return requested === 'now' ? start : snapshotChunkEnd(0);
}

function refusalOf(read: Exclude<SubsetRead, { outcome: 'rows' }>, { filter }: SubsetQuery): Refusal {
  switch (read.outcome) {
    case 'over':
      return mustRefetch();
    case 'moved':
      return movedMeanwhile();
    case 'refused': {
      const { status, code, message } = read;
      if (status !== 400) return subsetFailed(status, code, message);
      if (NO_SUCH_LABEL.test(message)) return invalidSubset({ where: message });
      return { ...invalidSubset({ [filter === undefined ? 'order_by' : 'where']: [message] }), isOfRow: true };
    }
  }
}
