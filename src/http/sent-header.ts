/**
 * SentHeader: Node keeps the header that it has sent, a long text, for as long as the answer is open, and of it asks no more than whether
 * there is one. Where Node keeps it elsewhere, nothing happens here.
 */
import type { HttpResponse } from './peer.ts';

interface WithHeader {
  _header: string;
}

/** @param response its header has been given to the socket. */
export function forgetSentHeader(response: HttpResponse): void {
  if (hasHeader(response)) response._header = 'sent';
}

function hasHeader(response: object): response is WithHeader {
  return '_header' in response && typeof response._header === 'string';
}
