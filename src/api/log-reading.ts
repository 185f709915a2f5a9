/**
 * LogReading: a read of a shape from where its log is known, with every wait in between.
 *
 * A long-poll must miss nothing: it reads the log and parks on the shape in one synchronous stretch, and reads again
 * when woken. A client that goes leaves nothing behind: each wait ends with the request's signal.
 */
import { invariant } from '../base/invariant.ts';
import { BEFORE_ALL, snapshotChunkIndex, type LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';
import type { ApiContext } from './api-context.ts';
import { begun } from './begun-stream.ts';
import { condemning } from './condemning.ts';
import type { ShapeTarget } from './definition-cache.ts';
import { DRAINING } from './draining.ts';
import { eventStream } from './event-streams/event-stream.ts';
import { eventsBehind, isNothing } from './event-streams/log-events.ts';
import { neededFor, standing } from './event-streams/streamed-offset.ts';
import { catchUpAnswer, eventStreamAnswer, liveAnswer, notModified, type Reader } from './log-answer.ts';
import { catchUpRead, endRead, livePollRead, type PollRead } from './log-read.ts';
import { Shared, type Wake } from './parking/wake.ts';
import type { ReadableLog } from './ports.ts';
import type { ReadRequest } from './read-request.ts';
import { whyUnwell, whyUnwellStill } from './readiness.ts';
import { invalidRequest, keptElsewhere, mustRefetch, slowSnapshot, stillBehind, type Refusal } from './refusal.ts';
import { endedEarly, rotated, untilStarted } from './resolve-handle.ts';
import type { ReadParameters } from './shape-parameters.ts';
import { ABANDONED, isInMemory, isLive, type ShapeResponse } from './shape-response.ts';
import { readSubset } from './subsets/read-subset.ts';
import type { SubsetQuery } from './subsets/subset-source.ts';

/** One request, from the moment its log is known. */
export interface Reading {
  readonly context: ApiContext;
  readonly request: Pick<ReadRequest, 'ifNoneMatch' | 'signal'>;
  readonly parameters: ReadParameters;
  readonly target: ShapeTarget;
  /** Undefined for the log itself. */
  readonly subset: SubsetQuery | undefined;
  readonly handle: Handle;
}

type Answer = ShapeResponse | Promise<ShapeResponse>;

export async function readLog(reading: Reading, permit: ReadRequest['permit']): Promise<ShapeResponse> {
  const { request, parameters } = reading;
  const { offset } = parameters;
  const after = await whenReadable(reading, offset === 'now' ? BEFORE_ALL : offset);
  if (typeof after === 'object') return after;
  permit.promote();
  if (reading.subset !== undefined) return readSubset({ ...reading, subset: reading.subset, signal: request.signal });
  if (offset === 'now') return readEnd(reading);
  if (parameters.liveSse) return streamEvents(reading, after);
  return readBehind(reading, after);
}

async function readBehind(reading: Reading, after: LogOffset): Promise<ShapeResponse> {
  return onceBegun(reading, after, await (reading.parameters.live ? longPoll(reading, after) : catchUp(reading, after)));
}

/**
 * Waits until the snapshot has started, and then until the log has reached `after`. The second wait takes at most half
 * the time of a long-poll: an offset that lies beyond the log is far more often wrong than early.
 *
 * @returns the place from which to read.
 */
async function whenReadable(reading: Reading, after: LogOffset): Promise<ShapeResponse | LogOffset> {
  const { context, handle, request, target } = reading;
  const deadlineMs = context.clock.nowMs() + context.settings.longPollTimeoutMs / 2;
  let hasStarted = false;
  for (;;) {
    const log = context.ports.logs.get(handle);
    const place = log === undefined ? after : standing(after, log.end);
    const outcome = log?.outcome(place);
    if (outcome === 'entries') return place;
    if (outcome === undefined && hasStarted) return endedEarly(context, handle, reading.parameters.shape);
    if (outcome !== 'beyond') {
      // A log may be gone because its snapshot failed. Its reader must hear why: after a 409 it would try for ever.
      invariant(!hasStarted, 'a snapshot that has started can be read');
      const failure = await untilStarted(context, handle, target.definition);
      if (failure !== undefined) return failure;
      hasStarted = true;
    } else {
      const wake = await context.listeners.park(handle, neededFor(after), remainingMs(context, deadlineMs), request.signal);
      if (wake.cause === 'rotated') return ended(reading, wake);
      // Whether the offset is wrong is not known yet: when the server closes, its client asks again, here or elsewhere.
      if (wake.cause === 'aborted') return request.signal.reason === DRAINING ? stillBehind() : ABANDONED;
      if (wake.cause !== 'appended') return whyUnwell(context) ?? outOfReach(reading);
    }
  }
}

/** An offset may have been served before a restart, and its shape has yet to come to it again: that is no client's mistake. */
function outOfReach({ context: { ports }, handle }: Reading): Refusal {
  const isBehind = ports.logs.get(handle)?.waitsAt !== undefined || ports.lastProcessedLsn() === undefined;
  return isBehind ? stillBehind() : invalidRequest({ offset: ['out of bounds for this shape'] });
}

/** The answer to a reader that waited on a shape that has ended: many are woken at once, and the first of them has the next one made. */
function ended({ context, parameters }: Reading, { replacement, answer }: Wake<PollRead> & { cause: 'rotated' }): Answer {
  return replacement === undefined ? answer.get(() => rotated(context, parameters.shape)) : mustRefetch(replacement);
}

function catchUp(reading: Reading, after: LogOffset): Answer {
  const { context, target } = reading;
  return withLog(reading, (log) => {
    const read = catchUpRead(context.ports, log, after);
    if (read === undefined) return rotated(context, reading.parameters.shape); // The log went back: it is another one.
    const reader = readerOf(reading, after);
    return notModified(reader, read) ?? catchUpAnswer(reader, read, context.schemas.of(target));
  });
}

function readEnd(reading: Reading): Answer {
  const { context: { ports, schemas }, target } = reading;
  return withLog(reading, (log) => catchUpAnswer(readerOf(reading, 'now'), endRead(ports, log), schemas.of(target)));
}

/** A poll that has waited already, and was woken. */
export interface Woken {
  readonly wake: Wake<PollRead>;
  readonly deadlineMs: number;
}

/** Goes on with one. */
export async function pollOn(reading: Reading, after: LogOffset, woken: Woken): Promise<ShapeResponse> {
  return onceBegun(reading, after, await longPoll(reading, after, woken));
}

/** Answers at the first entries behind `after`; without any, when the time is over. */
async function longPoll(reading: Reading, after: LogOffset, woken?: Woken): Promise<ShapeResponse> {
  const { context, handle, request, parameters } = reading;
  const reader = readerOf(reading, after);
  const deadlineMs = woken?.deadlineMs ?? context.clock.nowMs() + context.settings.longPollTimeoutMs;
  let wake = woken?.wake ?? { cause: 'appended', shared: new Shared<PollRead>() };
  if (wake.cause === 'rotated') return ended(reading, wake);
  for (let isFirst = woken === undefined; ; isFirst = false) {
    const log = context.ports.logs.get(handle);
    const read = log === undefined ? undefined : pollRead(context, log, after, wake);
    if (read === undefined) return rotated(context, parameters.shape);
    const unchanged = isFirst ? notModified(reader, read) : undefined;
    if (unchanged !== undefined) return unchanged;
    if (read.hasData) return liveAnswer(reader, read);
    // Either the server closes: the reader's log is whole, and it reads on after the restart. Or the reader has gone, and
    // nobody gets this answer.
    if (wake.cause === 'aborted') return liveAnswer(reader, read);
    if (wake.cause !== 'appended') return whyUnwell(context) ?? liveAnswer(reader, read);
    wake = await context.listeners.park(handle, after, remainingMs(context, deadlineMs), request.signal);
    if (wake.cause === 'rotated') return ended(reading, wake);
  }
}

/** The answer to a client that says where it stands, and not yet how far the stream will have brought it. */
async function streamEvents(reading: Reading, after: LogOffset): Promise<ShapeResponse> {
  const { context, handle, request } = reading;
  const readNow = () => eventsBehind(context.ports.logs, handle, after);
  let events = readNow();
  if (events !== undefined && isNothing(events)) {
    const unwell = await whyUnwellStill(context);
    events = readNow();
    if (unwell !== undefined && events !== undefined && isNothing(events)) return unwell;
  }
  if (events === undefined) return rotated(context, reading.parameters.shape);
  const reader = readerOf(reading, after);
  return eventStreamAnswer(reader, after, isNothing(events), eventStream(context, handle, after, request.signal));
}

/**
 * A log can fail before its first byte: its snapshot has got no row yet, or its bytes are damaged. And who asks for a chunk before it is
 * known whether there is another may have waited for one that never comes.
 */
async function onceBegun(reading: Reading, after: LogOffset, response: ShapeResponse): Promise<ShapeResponse> {
  if (response.kind !== 'log' || isLive(response.body) || isInMemory(response.body)) return response;
  const { context, handle, parameters, target } = reading;
  try {
    const body = await begun(condemning(context.ports, handle, response.body));
    if (isStill(reading, after, response.offset)) return { ...response, body };
  } catch (error) {
    if (context.ports.logs.isStalled(error)) return slowSnapshot();
    const elsewhere = context.ports.logs.elsewhereOf(error);
    if (elsewhere !== undefined) return keptElsewhere(elsewhere);
    if (context.ports.logs.damageOf(error) !== undefined) return rotated(context, parameters.shape);
    if (!context.ports.logs.isGone(error)) throw error;
    await untilOver(reading);
    return (await untilStarted(context, handle, target.definition)) ?? (await rotated(context, parameters.shape));
  }
  return readBehind(reading, after);
}

/** False when `end` is that of a chunk which the snapshot has turned out not to have: then the log lies behind `after`. */
function isStill({ context, handle }: Reading, after: LogOffset, end: LogOffset): boolean {
  if (snapshotChunkIndex(end) === undefined) return true;
  const read = context.ports.logs.get(handle)?.read(after);
  return read?.outcome !== 'entries' || read.end === end;
}

/** Readers learn that a snapshot failed a moment before the directory learns why. */
async function untilOver({ context, handle, request }: Reading): Promise<void> {
  if (context.ports.shapes.definitionOf(handle) === undefined) return;
  await context.listeners.park(handle, BEFORE_ALL, context.settings.longPollTimeoutMs, request.signal);
}

/** Readers that were woken together share the bytes; a stream is read once, so each has its own. */
export function pollRead(context: ApiContext, log: ReadableLog, after: LogOffset, wake: Wake<PollRead>): PollRead {
  if (wake.cause !== 'appended') return livePollRead(context.ports, log, after);
  const common = wake.shared.get(() => livePollRead(context.ports, log, after));
  return common === undefined || isInMemory(common.body) ? common : livePollRead(context.ports, log, after);
}

function withLog(reading: Reading, answer: (log: ReadableLog) => Answer): Answer {
  const log = reading.context.ports.logs.get(reading.handle);
  return log === undefined ? rotated(reading.context, reading.parameters.shape) : answer(log);
}

function readerOf({ context, handle, parameters, request }: Reading, requested: LogOffset | 'now'): Reader {
  const { live, cursor } = parameters;
  return { context, handle, requested, live, cursor, ifNoneMatch: request.ifNoneMatch };
}

function remainingMs(context: ApiContext, deadlineMs: number): number {
  return Math.max(0, deadlineMs - context.clock.nowMs());
}
