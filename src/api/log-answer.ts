/** From what a log gave to the answer: handle, offset, etag, cursor, and how long caches may keep it. */
import { BEFORE_ALL, type LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';
import type { ApiContext } from './api-context.ts';
import { cacheControl, type CacheCase } from './cache-control.ts';
import { nextCursor } from './live-cursor.ts';
import type { LogRead } from './log-read.ts';
import type { LiveBody, LogAnswer } from './shape-response.ts';

export interface Reader {
  readonly context: ApiContext;
  readonly handle: Handle;
  readonly requested: LogOffset | 'now';
  readonly live: boolean;
  /** The request's cursor. */
  readonly cursor: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** @param schema JSON, of the catalogue as it is now. */
export function catchUpAnswer(reader: Reader, read: LogRead, schema: string): LogAnswer {
  return { ...answer(reader, read), schema };
}

/** Those who were woken together and bring the same cursor get the same answer. */
export function liveAnswer(reader: Reader, read: LogRead): LogAnswer {
  if (!read.hasData) return answer(reader, read); // Its tag is its own.
  const known = liveAnswers.get(read);
  if (known !== undefined && known.asked === reader.cursor) return known.answer;
  const told = answer(reader, read);
  liveAnswers.set(read, { asked: reader.cursor, answer: told });
  return told;
}

/** The last that was told of what was read, and the cursor that was brought. */
const liveAnswers = new WeakMap<LogRead, { readonly asked: string | undefined; readonly answer: LogAnswer }>();

/** The answer to a client that holds what it would get, with its own tag: a weak one is that of a coded body. Undefined for others. */
export function notModified(reader: Reader, read: LogRead): LogAnswer | undefined {
  if (reader.ifNoneMatch === undefined) return undefined;
  const tag = `"${reader.handle}:${reader.requested}:${read.end}"`;
  const held = tagsOf(reader.ifNoneMatch).find((given) => given === tag || given === `W/${tag}`);
  if (held === undefined) return undefined;
  return { ...answer(reader, read), status: 304, hasData: true, etag: held, body: [] };
}

/**
 * A stream that has yet to flow. Its offset is the client's own: one that is cut off before the first up-to-date must get all of
 * it again. The next offsets are in the events.
 */
export function eventStreamAnswer(reader: Reader, after: LogOffset, upToDate: boolean, body: LiveBody): LogAnswer {
  const start = answer(reader, { end: after, upToDate, hasData: false, body: [] }); // As without news: it is never revalidated.
  return { ...start, form: 'eventStream', hasData: true, cacheControl: cacheControl('liveStream', reader.context.settings.cache), body };
}

function answer(reader: Reader, { end, upToDate, hasData, body }: LogRead): LogAnswer {
  const { handle, requested, live, cursor, context } = reader;
  const { clock, random, settings } = context;
  const nonce = hasData ? '' : `:${clock.epochMicros()}`; // An answer without news must never be revalidated, so its etag is its own.
  const windowSeconds = Math.floor(settings.longPollTimeoutMs / 1000);
  return {
    kind: 'log',
    status: 200,
    form: 'json',
    handle,
    offset: end,
    upToDate,
    hasData,
    etag: `"${handle}:${requested}:${end}${nonce}"`,
    cacheControl: cacheControl(cacheCase(reader), settings.cache),
    ...(live ? { cursor: nextCursor(clock.epochMicros(), windowSeconds, cursor, random) } : {}),
    body,
  };
}

function cacheCase({ requested, live }: Reader): CacheCase {
  if (requested === BEFORE_ALL) return 'firstChunk';
  return live ? 'live' : 'catchUp';
}

/** With quotes, which some clients leave out. */
function tagsOf(ifNoneMatch: string): readonly string[] {
  return ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^(W\/)?"?([^"]*)"?$/, '$1"$2"'));
}
