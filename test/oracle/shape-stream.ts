/**
 * An event stream of a shape, as a client takes it: what has come counts with the up-to-date behind it, and the client stands at that one's
 * LSN from then on. What came behind the last of them when the stream breaks off was never told.
 */
import type { ShapeMessage } from '../support/shapes/tag-folding-client.ts';
import { addressOf, claim, isUpToDate, unansweredBy, unreachable, upToDateLsnOf } from './shape-exchange.ts';
import type { ShapeRequest, Unanswered } from './shape-exchange.ts';

export interface StreamedBatch {
  /** Without the up-to-date. */
  readonly entries: readonly ShapeMessage[];
  readonly upToDateLsn: bigint;
  /** From which its client goes on. */
  readonly offset: string;
}

export type OpenedStream = { readonly type: 'opened'; readonly batches: AsyncGenerator<StreamedBatch, void> } | Unanswered;

/** @param signal ends it. @throws {ProtocolViolation} for an answer that the protocol does not allow. */
export async function openStream(
  shapeUrl: string,
  parameters: Readonly<Record<string, string>>,
  request: ShapeRequest,
  signal: AbortSignal,
): Promise<OpenedStream> {
  const url = addressOf(shapeUrl, parameters, request);
  url.searchParams.set('live_sse', 'true');
  let response: Response;
  try {
    response = await fetch(url, { signal });
    if (response.status !== 200) return unansweredBy(response, await response.text());
  } catch (error) {
    if (!isBrokenOff(error)) throw error;
    return unreachable(error);
  }
  const { headers } = response;
  claim(headers.get('content-type') === 'text/event-stream', `an event stream of type ${headers.get('content-type')}`);
  claim(headers.get('electric-handle') === request.handle, `a stream of ${headers.get('electric-handle')} instead of ${request.handle}`);
  return { type: 'opened', batches: batchesOf(response) };
}

async function* batchesOf(response: Response): AsyncGenerator<StreamedBatch, void> {
  let messages: ShapeMessage[] = [];
  for await (const message of messagesOf(response)) {
    messages.push(message);
    if (!isUpToDate(message)) continue;
    const upToDateLsn = upToDateLsnOf(messages);
    claim(upToDateLsn !== undefined, 'an up-to-date tells its LSN');
    yield { entries: messages.slice(0, -1), upToDateLsn, offset: `${upToDateLsn}_0` };
    messages = [];
  }
}

async function* messagesOf(response: Response): AsyncGenerator<ShapeMessage, void> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const piece of response.body ?? []) {
      text += decoder.decode(piece as Uint8Array, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events.filter((each) => !each.startsWith(':'))) yield messageIn(event);
    }
  } catch (error) {
    if (!isBrokenOff(error)) throw error;
  }
}

function messageIn(event: string): ShapeMessage {
  claim(event.startsWith('data: '), `an event that is no message: ${event}`);
  return JSON.parse(event.slice('data: '.length)) as ShapeMessage;
}

/** What `fetch` says of a connection that was cut, and of one that its reader has ended. */
function isBrokenOff(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof DOMException && (error.name === 'AbortError' || error.name === 'TimeoutError'));
}
