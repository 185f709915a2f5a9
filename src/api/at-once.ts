/**
 * What can be answered at once: a part of a log that is in memory, of a shape that is known, to who asks for it in words that were read
 * before. It is the way of any read, without a wait: what is not certain here is left to that, and then no more has happened than that a
 * reader was noted. A long-poll that finds nothing is certain as well: it waits, and next to nothing is held for it meanwhile.
 *
 * A chunk that many ask for is one answer for all of them, as long as the storage keeps its bytes.
 */
import type { EntryRun, EntryRuns } from '../model/log-entry.ts';
import type { Handle, ShapeDefinition } from '../model/shape.ts';
import type { ApiContext } from './api-context.ts';
import type { ShapeTarget } from './definition-cache.ts';
import { catchUpAnswer, liveAnswer, notModified, type Reader } from './log-answer.ts';
import { livePollRead, stretchRead } from './log-read.ts';
import type { EntriesRead, LogStretch, ReadableLog } from './ports.ts';
import type { ReadRequest } from './read-request.ts';
import { isRefusal } from './refusal.ts';
import { isLogOf } from './resolve-handle.ts';
import { readParameters, type RawParameters, type ReadParameters } from './shape-parameters.ts';
import { isInMemory, type LogAnswer, type ShapeResponse } from './shape-response.ts';
import { asksForSubset } from './subsets/subset-parameters.ts';
import { WaitingPoll, type PollParameters } from './waiting-poll.ts';

/** @returns undefined when somebody has to be waited for, or asked. */
export function answerAtOnce(context: ApiContext, request: ReadRequest): ShapeResponse | undefined {
  const found = foundAtOnce(context, request, false);
  if (found === undefined) return undefined;
  const { parameters, target, log, stretch } = found;
  note(context, request);
  return answerOf(readerOf(context, request, log, parameters), log, stretch, context.schemas.of(target));
}

/**
 * The same of a long-poll: it is answered when there is something for it, and waits when there is nothing.
 *
 * @returns undefined for what is no long-poll, too.
 */
export function pollAtOnce(context: ApiContext, request: ReadRequest): LogAnswer | WaitingPoll | undefined {
  if (request.ifNoneMatch !== undefined || request.signal.aborted) return undefined;
  const found = foundAtOnce(context, request, true);
  if (found === undefined) return undefined;
  const { parameters, target, log, stretch } = found;
  const isAtEnd = stretch.runs.length === 0;
  if (isAtEnd && !stretch.upToDate) return undefined;
  note(context, request);
  if (isAtEnd) {
    const poll = new WaitingPoll(context, parameters, target, log.handle, request.signal);
    context.listeners.join(log.handle, parameters.offset, poll);
    return poll;
  }
  const read = livePollRead(context.ports, log, parameters.offset);
  return read && liveAnswer(readerOf(context, request, log, parameters), read);
}

interface FoundLog {
  readonly parameters: PollParameters;
  readonly target: ShapeTarget;
  readonly log: ReadableLog;
  readonly stretch: StretchInMemory;
}

interface StretchInMemory extends EntriesRead {
  readonly runs: readonly EntryRun[];
}

function foundAtOnce(context: ApiContext, request: ReadRequest, isLive: boolean): FoundLog | undefined {
  const { status, relations, logs } = context.ports;
  const parameters = request.bounds === undefined && status.isReadable() ? plainRead(request.parameters, isLive) : undefined;
  if (parameters === undefined) return undefined;
  const target = context.definitions.known(parameters.shape, (relation) => relations.isCurrent(relation));
  if (target === undefined || !status.isAwake()) return undefined;
  const handle = handleAtOnce(context, target.definition, parameters.handle);
  const log = handle && logs.get(handle);
  const stretch = log?.read(parameters.offset);
  return log === undefined || !liesInMemory(stretch) ? undefined : { parameters, target, log, stretch };
}

function liesInMemory(stretch: LogStretch | undefined): stretch is StretchInMemory {
  return stretch?.outcome === 'entries' && isInMemory(stretch.runs);
}

function note({ ports: { status } }: ApiContext, { permit }: ReadRequest): void {
  status.noteUse();
  permit.promote();
}

function readerOf(context: ApiContext, { ifNoneMatch }: ReadRequest, { handle }: ReadableLog, parameters: PollParameters): Reader {
  const { offset: requested, live, cursor } = parameters;
  return { context, handle, requested, live, cursor, ifNoneMatch };
}

/** Of a part of a log as it stands, or of what comes next. Undefined for whatever else is asked for, or cannot be meant. */
function plainRead(raw: RawParameters, isLive: boolean): PollParameters | undefined {
  const read = readParameters(raw);
  if (isRefusal(read) || read.live !== isLive || read.liveSse || asksForSubset(raw)) return undefined;
  return isOfPlace(read) ? read : undefined;
}

function isOfPlace(read: ReadParameters): read is PollParameters {
  return read.offset !== 'now';
}

function handleAtOnce(context: ApiContext, definition: ShapeDefinition, wanted: Handle | undefined): Handle | undefined {
  const { shapes } = context.ports;
  if (wanted === undefined) return shapes.findReadable(definition);
  if (!isLogOf(context, wanted, definition)) return undefined;
  shapes.noteReader(wanted);
  return wanted;
}

/** By the runs that they were made of. Those that have the end of the log tell how far that has come, and are not kept. */
const keptAnswers = new WeakMap<EntryRuns, LogAnswer>();

function answerOf(reader: Reader, log: ReadableLog, stretch: EntriesRead, schema: string): LogAnswer {
  const isFixed = stretch.areKept === true && !stretch.upToDate && reader.ifNoneMatch === undefined;
  const kept = isFixed ? keptAnswers.get(stretch.runs) : undefined;
  if (kept?.schema === schema) return kept;
  const read = stretchRead(reader.context.ports, log, stretch);
  const answer = notModified(reader, read) ?? catchUpAnswer(reader, read, schema);
  if (isFixed) keptAnswers.set(stretch.runs, answer);
  return answer;
}
