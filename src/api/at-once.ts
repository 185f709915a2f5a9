/**
 * What can be answered at once: a part of a log that is in memory, of a shape that is known, to who asks for it in words that were read
 * before. It is the way of any read, without a wait: what is not certain here is left to that, and then no more has happened than that a
 * reader was noted.
 *
 * A chunk that many ask for is one answer for all of them, as long as the storage keeps its bytes.
 */
import type { EntryRuns } from '../model/log-entry.ts';
import type { LogOffset } from '../model/log-offset.ts';
import type { Handle, ShapeDefinition } from '../model/shape.ts';
import type { ApiContext } from './api-context.ts';
import { catchUpAnswer, notModified, type Reader } from './log-answer.ts';
import { stretchRead } from './log-read.ts';
import type { EntriesRead, ReadableLog } from './ports.ts';
import type { ReadRequest } from './read-request.ts';
import { isRefusal } from './refusal.ts';
import { isLogOf } from './resolve-handle.ts';
import { readParameters, type RawParameters, type ReadParameters } from './shape-parameters.ts';
import { isInMemory, type LogAnswer, type ShapeResponse } from './shape-response.ts';
import { asksForSubset } from './subsets/subset-parameters.ts';

/** @returns undefined when somebody has to be waited for, or asked. */
export function answerAtOnce(context: ApiContext, request: ReadRequest): ShapeResponse | undefined {
  const { status, relations, logs } = context.ports;
  const parameters = request.bounds === undefined && status.isReadable() ? plainRead(request.parameters) : undefined;
  if (parameters === undefined) return undefined;
  const target = context.definitions.known(parameters.shape, (relation) => relations.isCurrent(relation));
  if (target === undefined || !status.isAwake()) return undefined;
  const handle = handleAtOnce(context, target.definition, parameters.handle);
  const log = handle && logs.get(handle);
  const stretch = log?.read(parameters.offset);
  if (log === undefined || stretch?.outcome !== 'entries' || !isInMemory(stretch.runs)) return undefined;
  status.noteUse();
  request.permit.promote();
  const { offset: requested, cursor } = parameters;
  const reader = { context, handle: log.handle, requested, live: false, cursor, ifNoneMatch: request.ifNoneMatch };
  return answerOf(reader, log, stretch, context.schemas.of(target));
}

/** Of a part of a log as it stands. */
interface PlainRead extends Pick<ReadParameters, 'shape' | 'handle' | 'cursor'> {
  readonly offset: LogOffset;
}

/** Undefined for whatever else is asked for, or cannot be meant. */
function plainRead(raw: RawParameters): PlainRead | undefined {
  const read = readParameters(raw);
  if (isRefusal(read) || read.live || read.offset === 'now' || asksForSubset(raw)) return undefined;
  const { shape, handle, cursor, offset } = read;
  return { shape, handle, cursor, offset };
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
