/**
 * One request for a shape and its answer, and what must hold between the two: headers, offsets, and where *up-to-date* stands.
 *
 * An offset is text to a real client. Here it is compared, because an answer that does not bring its reader on, or brings it back,
 * is how lines are lost or told twice.
 */
import { ProtocolViolation } from '../support/shapes/shape-fold.ts';
import type { ControlMessage, ShapeMessage } from '../support/shapes/tag-folding-client.ts';

export interface ShapeRequest {
  readonly offset: string;
  readonly handle: string | undefined;
  readonly live: boolean;
  readonly cursor: string;
}

/** A 200. */
export interface ShapeAnswer {
  readonly handle: string;
  readonly offset: string;
  readonly cursor: string;
  /** Those that its schema names; a live answer has none. */
  readonly columns: readonly string[] | undefined;
  /** What stands in the log; without *up-to-date*, which does not. */
  readonly entries: readonly ShapeMessage[];
  /** The bytes of the entries, as they were sent. */
  readonly bytes: string;
  /** The LSN up to which the shape is told, where it is told. */
  readonly upToDateLsn: bigint | undefined;
}

export type Exchange = { readonly type: 'answered'; readonly answer: ShapeAnswer } | Unanswered;

export type Unanswered =
  | { readonly type: 'rotated'; readonly handle: string | undefined }
  /** Ask again: the service is not ready, or not there. */
  | { readonly type: 'unavailable' | 'unreachable'; readonly why: string };

/** A live request is answered long before. */
const ANSWERED_MS_MAX = 30_000;
const UP_TO_DATE = '{"headers":{"control":"up-to-date"';

/** @throws {ProtocolViolation} for an answer that the protocol does not allow. */
export async function askShape(
  shapeUrl: string,
  parameters: Readonly<Record<string, string>>,
  request: ShapeRequest,
): Promise<Exchange> {
  let response: Response, text: string;
  try {
    response = await fetch(addressOf(shapeUrl, parameters, request), { signal: AbortSignal.timeout(ANSWERED_MS_MAX) });
    text = await response.text();
  } catch (error) {
    return unreachable(error);
  }
  return exchangeOf(request, response, text);
}

export function addressOf(shapeUrl: string, parameters: Readonly<Record<string, string>>, request: ShapeRequest): URL {
  const url = new URL(shapeUrl);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  url.searchParams.set('offset', request.offset);
  if (request.handle !== undefined) url.searchParams.set('handle', request.handle);
  if (!request.live) return url;
  url.searchParams.set('live', 'true');
  url.searchParams.set('cursor', request.cursor);
  return url;
}

/** @param error what `fetch` throws. */
export function unreachable(error: unknown): Unanswered {
  return { type: 'unreachable', why: String(error instanceof Error ? (error.cause ?? error) : error) };
}

/** What is no 200. @throws {ProtocolViolation} for a status that no client takes. */
export function unansweredBy({ status, headers }: Response, text: string): Unanswered {
  if (status === 503) return { type: 'unavailable', why: text };
  claim(status === 409, `status ${status}: ${text}`);
  claim(text === '[{"headers":{"control":"must-refetch"}}]', `409 with another body than must-refetch: ${text}`);
  return { type: 'rotated', handle: headers.get('electric-handle') ?? undefined };
}

function exchangeOf(request: ShapeRequest, response: Response, text: string): Exchange {
  const { status, headers } = response;
  if (status !== 200) return unansweredBy(response, text);
  const handle = headers.get('electric-handle');
  const offset = headers.get('electric-offset');
  claim(handle !== null && offset !== null, 'a 200 without its handle or its offset');
  claim(request.live ? headers.has('electric-cursor') : headers.has('electric-schema'), 'a live answer has a cursor, another one a schema');
  const messages = JSON.parse(text) as ShapeMessage[];
  const answer = {
    handle,
    offset,
    cursor: headers.get('electric-cursor') ?? '',
    columns: columnsIn(headers.get('electric-schema')),
    entries: messages.filter((message) => !isUpToDate(message)),
    bytes: entryBytes(text),
    upToDateLsn: upToDateLsnOf(messages),
  };
  const isEnd = answer.upToDateLsn !== undefined;
  claim(headers.has('electric-up-to-date') === isEnd, 'up-to-date is in the headers and in the body, or in neither');
  claimProgress(request, answer);
  return { type: 'answered', answer };
}

function columnsIn(schema: string | null): readonly string[] | undefined {
  return schema === null ? undefined : Object.keys(JSON.parse(schema) as object);
}

function claimProgress({ offset, handle }: ShapeRequest, answer: ShapeAnswer): void {
  claim(offset === '-1' || answer.handle === handle, `a 200 under another handle: ${answer.handle} instead of ${handle}`);
  const way = compareOffsets(answer.offset, offset);
  const isOn = answer.entries.length > 0 || answer.upToDateLsn === undefined;
  const goesOn = isOn ? way > 0 : way >= 0;
  claim(goesOn || isBehindStream(offset, answer), `from ${offset} to ${answer.offset} with ${answer.entries.length} entries`);
  claim(offset !== '-1' || answer.upToDateLsn === undefined, 'up-to-date in the answer to offset -1');
}

/** Who followed by a stream stands one LSN behind the last line, and a request tells where the log ends. */
function isBehindStream(offset: string, answer: ShapeAnswer): boolean {
  return answer.entries.length === 0 && lsnOf(offset) - lsnOf(answer.offset) === 1n;
}

/** @returns negative when `left` lies before `right`. */
export function compareOffsets(left: string, right: string): number {
  const [one, other] = [partsOf(left), partsOf(right)];
  if (one.lsn !== other.lsn) return one.lsn < other.lsn ? -1 : 1;
  return one.position === other.position ? 0 : one.position < other.position ? -1 : 1;
}

export function lsnOf(offset: string): bigint {
  return partsOf(offset).lsn;
}

function partsOf(offset: string): { readonly lsn: bigint; readonly position: number } {
  const [lsn = '', position = '0'] = offset.split('_');
  claim(/^(-1|\d+(_(\d+|inf))?)$/.test(offset), `${offset} is no offset`);
  return { lsn: BigInt(lsn), position: position === 'inf' ? Infinity : Number(position) };
}

/** @returns undefined where none of them is an up-to-date. @throws {ProtocolViolation} */
export function upToDateLsnOf(messages: readonly ShapeMessage[]): bigint | undefined {
  const at = messages.findIndex(isUpToDate);
  claim(at === -1 || at === messages.length - 1, 'up-to-date is not the last message');
  const lsn = messages.filter(isUpToDate)[0]?.headers.global_last_seen_lsn;
  claim(at === -1 || (typeof lsn === 'string' && /^\d+$/.test(lsn)), 'up-to-date without its LSN');
  return typeof lsn === 'string' ? BigInt(lsn) : undefined;
}

interface UpToDate {
  readonly headers: ControlMessage['headers'] & { readonly global_last_seen_lsn?: string };
}

export function isUpToDate(message: ShapeMessage): message is UpToDate {
  return 'control' in message.headers && message.headers.control === 'up-to-date';
}

function entryBytes(text: string): string {
  const upToDate = text.lastIndexOf(UP_TO_DATE);
  return text.slice(1, upToDate === -1 ? text.lastIndexOf(']') : upToDate).replace(/[,\s]+$/, '');
}

/** @throws {ProtocolViolation} */
export function claim(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new ProtocolViolation(sentence);
}
