/** Serving a read of a shape: from the parameters to the log that is read, and to the answer. */
import type { NowOrLater } from '../base/now-or-later.ts';
import type { ApiContext } from './api-context.ts';
import { answerAtOnce, pollAtOnce } from './at-once.ts';
import { withinBounds } from './bounded-shape.ts';
import { defineShapeTarget } from './define-shape-target.ts';
import type { ShapeTarget } from './definition-cache.ts';
import { readLog } from './log-reading.ts';
import type { ReadRequest } from './read-request.ts';
import { whenAwake, whenReady } from './readiness.ts';
import { filterFailedUnseen, isRefusal } from './refusal.ts';
import { resolveHandle } from './resolve-handle.ts';
import { readParameters, type ReadParameters } from './shape-parameters.ts';
import type { ShapeResponse } from './shape-response.ts';
import { withoutSuccessor } from './subsets/read-subset.ts';
import { asksForSubset } from './subsets/subset-parameters.ts';
import { subsetQuery } from './subsets/subset-query.ts';
import type { SubsetQuery } from './subsets/subset-source.ts';
import { unlessAbandoned } from './unless-abandoned.ts';
import type { WaitingPoll } from './waiting-poll.ts';

export function readShape(context: ApiContext, request: ReadRequest): NowOrLater<ShapeResponse> {
  return answerAtOnce(context, request) ?? unlessAbandoned(answerTo(context, request), request.signal);
}

/** Likewise; but a long-poll that waits may be one object, and no promise. */
export function readOrWait(context: ApiContext, request: ReadRequest): NowOrLater<ShapeResponse> | WaitingPoll {
  return pollAtOnce(context, request) ?? readShape(context, request);
}

async function answerTo(context: ApiContext, request: ReadRequest): Promise<ShapeResponse> {
  const unready = await whenReady(context, 'readable', request.signal);
  if (unready !== undefined) return unready;
  const asked = readParameters(request.parameters);
  if (isRefusal(asked)) return asked;
  const asleep = await whenAwake(context, request.signal);
  if (asleep !== undefined) return asleep;
  const parameters = { ...asked, shape: withinBounds(asked.shape, request.bounds) };
  const answer = await answerWithin(context, request, parameters);
  return request.bounds?.filter !== undefined && isRefusal(answer) && answer.isOfRow === true ? filterFailedUnseen() : answer;
}

async function answerWithin(context: ApiContext, request: ReadRequest, parameters: ReadParameters): Promise<ShapeResponse> {
  const isOfSubset = asksForSubset(request.parameters);
  const target = await defineShapeTarget(context, parameters.shape, isOfSubset ? undefined : parameters.handle);
  if (isRefusal(target)) return target;
  const subset = isOfSubset ? await subsetQuery(context.ports, request.parameters, parameters.shape, target) : undefined;
  if (subset !== undefined && isRefusal(subset)) return subset;
  const answer = await readResolved(context, request, parameters, target, subset);
  return subset === undefined || parameters.handle === undefined ? answer : withoutSuccessor(answer);
}

async function readResolved(
  context: ApiContext,
  request: ReadRequest,
  parameters: ReadParameters,
  target: ShapeTarget,
  subset: SubsetQuery | undefined,
): Promise<ShapeResponse> {
  const resolved = await resolveHandle(context, target.definition, parameters.handle);
  if (isRefusal(resolved)) return resolved;
  return readLog({ context, request, parameters, target, subset, handle: resolved.handle }, request.permit);
}
