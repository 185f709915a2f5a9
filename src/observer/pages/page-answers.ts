/** PageAnswers: the answers of the observer, each with the headers that keep its page to itself. */
import type { ErrorView } from '../views/service.ts';
import type { LiveBody } from '../../api/shape-response.ts';
import type { PageAnswer } from '../../api/page.ts';
import type { PageFile } from './page-file.ts';

/** From here alone, nothing inline, in no frame. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const KEPT_TO_ITSELF = [
  'content-security-policy', POLICY,
  'x-content-type-options', 'nosniff',
  'referrer-policy', 'no-referrer',
  'cross-origin-resource-policy', 'same-origin',
  'cross-origin-opener-policy', 'same-origin',
  'x-frame-options', 'DENY',
  'cache-control', 'no-store',
];

export function jsonAnswer(text: string, headers: readonly string[] = []): PageAnswer {
  return answer(200, 'application/json; charset=utf-8', Buffer.from(text), headers);
}

export function errorAnswer(status: number, code: string, message: string): PageAnswer {
  const view: ErrorView = { code, message };
  return answer(status, 'application/json; charset=utf-8', Buffer.from(JSON.stringify(view)));
}

/** @param json an `ErrorView` that is written already. */
export function notThereAnswer(json: string): PageAnswer {
  return answer(404, 'application/json; charset=utf-8', Buffer.from(json));
}

export function fileAnswer({ contentType, bytes }: PageFile): PageAnswer {
  return answer(200, contentType, bytes);
}

/** @param cookie set on the way. */
export function seeOther(location: string, cookie?: string): PageAnswer {
  const headers = ['location', location, ...(cookie === undefined ? [] : ['set-cookie', cookie])];
  return answer(303, 'text/plain; charset=utf-8', Buffer.alloc(0), headers);
}

/** Proxies that gather answers before they pass them on, as nginx does, are asked not to. */
export function eventsAnswer(body: LiveBody): PageAnswer {
  return { status: 200, headers: [...KEPT_TO_ITSELF, 'content-type', 'text/event-stream', 'x-accel-buffering', 'no'], body };
}

function answer(status: number, contentType: string, bytes: Uint8Array, headers: readonly string[] = []): PageAnswer {
  return { status, headers: [...KEPT_TO_ITSELF, 'content-type', contentType, ...headers], body: [bytes] };
}
